"""What runs side by side answer together, in sentences: models whose answers are known."""

import numpy as np
import pytest
from scipy.stats import ortho_group
from streamlit.testing.v1 import AppTest

from explorer.analysis.questions.another_map import VERDICTS, match_maps
from explorer.analysis.questions.how_many import VERDICTS as ANSWERS
from explorer.analysis.questions.how_many import Member, count_latents
from explorer.app.views.runs.compare import list_questions
from explorer.app.views.runs.questions import say_match
from explorer.export.report.words import say_count
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter
from explorer.text import LANGUAGES, catalogue, number, say
from explorer.training.fit import fit_config
from explorer.training.loop import train
from tests.app.test_pages import said
from tests.helpers import list_tables
from tests.small_run import change


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Probabilistic PCA of the digits: two seeds at two latents, one seed at four and sixteen."""
    folder = tmp_path_factory.mktemp("fitted")
    return {
        (latents, seed): train(
            change(fit_config("digits", "ppca"), model__latent_dim=latents, seed=seed),
            folder / f"{latents}-{seed}",
        )
        for latents, seed in ((2, 0), (2, 1), (4, 0), (16, 0))
    }


def page():
    import streamlit as st

    from explorer.app.views.runs.compare import compare
    from explorer.runs.run import Run

    compare([Run(path) for path in st.query_params.get_all("path")])


def open_page(*runs):
    app = AppTest.from_function(page, default_timeout=30)
    app.query_params["path"] = [str(run.path) for run in runs]
    return app.run()


def titles(runs):
    return [section.title for section in list_questions(runs)]


def test_what_is_asked_fits_the_runs(fitted, tmp_path):
    two, again, four = fitted[2, 0], fitted[2, 1], fitted[4, 0]
    assert titles([two, again]) == ["questions.map"]
    assert titles([two, four]) == ["questions.map", "questions.latents"]
    assert titles([two, again, four]) == ["questions.latents"]
    assert titles([two]) == []
    writer = RunWriter(tmp_path / "mine", latent_dim=2)
    writer.save_codes(np.zeros((50, 2)))
    assert titles([two, Run(writer.path)]) == [], "whose images are not known"


def test_principal_axes_are_the_same_map_whatever_the_seed(fitted):
    app = open_page(fitted[2, 0], fitted[2, 1])
    assert any("2 of 2 have their match" in line for line in said(app))
    assert not app.exception
    table = next(rows for rows in list_tables(app) if "partner" in rows[0])
    assert [row["dimension"] for row in table] == ["z₁", "z₂"]
    assert [row["found"] for row in table] == ["matched", "matched"]
    assert [row["partner"] for row in table] == ["z₁", "z₂"]


def test_two_of_four_axes_are_told_from_both_sides(fitted):
    lines = said(open_page(fitted[2, 0], fitted[4, 0]))
    assert any("2 of 2 have their match" in line for line in lines)
    assert any(
        line.startswith("The other way round: In part another map")
        and "matched in" in line
        and ": 2, there but rotated: 0, lost: 2." in line
        for line in lines
    )


def test_a_sweep_over_k_is_counted_and_its_figures_stand_below(fitted):
    runs = [fitted[key] for key in ((2, 0), (4, 0), (16, 0))]
    app = open_page(*runs)
    assert "all 16 latents of the largest model are in use" in " ".join(said(app))
    table = next(rows for rows in list_tables(app) if "K" in rows[0])
    assert [row["K"] for row in table] == ["2", "4", "16"]
    losses = [-run.info.best_results["elbo"] for run in runs]
    assert [row["−ELBO, nats"] for row in table] == [number(loss) for loss in losses]


def test_a_rotated_map_names_how_many_are_rotated():
    codes = np.random.default_rng(0).normal(size=(3000, 4))
    found = match_maps(codes, codes @ ortho_group.rvs(4, random_state=3))
    assert say_match(found, "one", "a_b").startswith("The same map, rotated: ")
    assert r"a\_b" in say_match(found, "one", "a_b")


def test_enough_is_told_with_what_the_largest_uses():
    members = [Member(1, -100, 2, 1), Member(2, -80, 4, 2), Member(4, -79, 4, 2)]
    told = say_count(count_latents(members, floor=-140), "en")
    # 60 of the 61 nats that the best gains.
    assert told.startswith("K = 2 is enough") and "98%" in told and "of 4 latents 2 are" in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verdict_has_its_sentence(language):
    known = catalogue(language)
    assert {f"questions.map.{verdict}" for verdict in VERDICTS} <= set(known)
    assert {f"questions.latents.{verdict}" for verdict in ANSWERS} <= set(known)
    assert say(language, "questions.state.lost")
