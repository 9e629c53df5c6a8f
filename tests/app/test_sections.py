"""A page says by itself which of its sections cannot be served for a run, and why."""

import shutil

import pytest
from streamlit.testing.v1 import AppTest

from explorer.library import NEEDS, find_lack
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from explorer.text import LANGUAGES, catalogue, say
from tests.app.test_pages import said


def page():
    import streamlit as st

    from explorer.app.parts.sections import Section, show_beside, show_sections
    from explorer.errors import ExplorerError
    from explorer.runs.run import Run

    def draw(subject):
        st.markdown(f"drawn for {subject}")

    def fail(subject):
        raise ExplorerError("This one cannot be drawn.")

    run = Run(st.query_params["path"])
    served = Section(draw, title="collapse.table", lede="collapse.table.caption")
    lacking = Section(draw, title="collapse.moves", lede="collapse.moves.caption", needs=("model",))
    silent = Section(draw, needs=("config", "model"))
    if st.query_params.get("beside"):
        show_beside((served, lacking), "both", run)
    else:
        show_sections((Section(fail), silent, lacking, served), "all", run)


def open_page(path, **address):
    app = AppTest.from_function(page)
    app.query_params["path"] = str(path)
    for word, value in address.items():
        app.query_params[word] = value
    return app.run()


@pytest.fixture
def bare(tmp_path):
    """A run of somebody else's loop: codes, and nothing else."""
    RunWriter(tmp_path / "bare", latent_dim=2).save_codes([[0.0, 1.0]])
    return tmp_path / "bare"


def test_what_a_run_lacks_is_said_in_its_place_and_the_rest_is_drawn(bare):
    lines = said(open_page(bare))
    assert "This one cannot be drawn." in lines
    assert f"**{say('en', 'collapse.moves')}**" in lines and say("en", "need.model") in lines
    assert say("en", "collapse.moves.caption") not in lines
    assert say("en", "collapse.table.caption") in lines
    assert lines.count("drawn for all") == 1, "what has no title is left out in silence"


def test_a_run_that_has_all_is_drawn_whole(tiny_run):
    lines = said(open_page(tiny_run.path))
    assert lines.count("drawn for all") == 3 and say("en", "need.model") not in lines


def test_sections_stand_side_by_side(bare):
    lines = said(open_page(bare, beside="1"))
    assert lines.count("drawn for both") == 1 and say("en", "need.model") in lines


def test_each_need_has_its_sentence():
    assert {f"need.{name}" for name in NEEDS} == {k for k in catalogue() if k.startswith("need.")}
    for language in LANGUAGES:
        assert all(say(language, f"need.{name}") for name in NEEDS)


def test_the_first_need_that_is_not_met_is_found(tmp_path, bare, tiny_run):
    assert find_lack(Run(bare), ("codes", "config", "model")) == "config"
    assert find_lack(tiny_run, NEEDS.keys() - {"codebook", "adopted"}) is None
    shutil.copytree(tiny_run.path, tmp_path / "light")
    (tmp_path / "light" / "checkpoint.safetensors").unlink()
    assert find_lack(Run(tmp_path / "light"), ("config", "training", "model")) == "model"
