"""Where the buttons of a finished run on Train lead, without a browser."""

import pytest
import streamlit as st

from explorer.analysis.collapse.timeline import DEAD_NATS
from tests.app.test_pages import change, open_page


@pytest.fixture
def left_for(monkeypatch):
    """The pages that buttons led to, with what their addresses ask for."""
    pages = []
    monkeypatch.setattr(
        st, "switch_page", lambda page, query_params=None: pages.append((page, query_params))
    )
    return pages


@pytest.mark.parametrize("kl, name", [(2 * DEAD_NATS, "Diagnose"), (0.0, "Why did it collapse")])
def test_a_finished_run_leads_to_its_diagnosis_by_what_there_is_to_find(runs, left_for, kl, name):
    change(runs / "good", results={"test": {"kl_per_dim": [1.0, kl]}})
    button = open_page("train", run="good").button(key="train_why")
    assert name in button.label
    button.click().run()
    assert left_for == [("views/collapse/page.py", {"run": "good"})]


def test_a_finished_run_leads_to_a_step_in_slow_motion(runs, left_for):
    open_page("train", run="good").button(key="train_slow").click().run()
    ((page, address),) = left_for
    assert page == "views/elbo/page.py" and address["run"] == "good"
    there = open_page("elbo", **address)
    assert list(there.exception) == []
    assert there.segmented_control(key="elbo_players_view").value == "slow"
