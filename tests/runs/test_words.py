"""A run in plain words: its figures, and what is known of one that was made elsewhere."""

import dataclasses

import pytest

from explorer.runs.info import ModelInfo
from explorer.runs.store import open_run
from explorer.runs.words import describe_adopted, describe_result, describe_run

ADOPTED = {
    "input": {"layout": "NCHW", "scale": 2.0, "shift": -1.0},
    "heads": "distribution",
    "spread": "sd",
    "output": "signed",
    "report": {"findings": []},
    "beta": {"told": 1, "implied": {"beta": 1.4913}},
}


def test_a_run_prints_its_figures():
    run = open_run("digits-2d")
    found = run.info.results["test"]
    assert str(run) == (
        f"digits-2d: ELBO {found['elbo']:.2f} = −(reconstruction {found['reconstruction']:.2f} + "
        f"KL {found['kl']:.2f}) nats per image on test"
    )


def test_an_adopted_one_prints_its_reading_its_self_test_and_its_beta():
    model = ModelInfo("layers", "gaussian", 2, adopted=ADOPTED)
    info = dataclasses.replace(open_run("digits-2d").info, model=model, results={})
    assert describe_run("mine", info).splitlines() == [
        "mine: no figures of ours",
        "read as: input NCHW × 2.0 + -1.0, heads distribution, spread sd, output signed",
        "self-test: nothing speaks against it",
        "β: told 1; by its weights 1.49",
    ]


def test_what_speaks_against_it_is_named():
    report = {"findings": ["aggregate", "beta", 7]}
    lines = describe_adopted({**ADOPTED, "report": report, "beta": {"implied": {"beta": None}}})
    assert lines[1:] == ["self-test: aggregate, beta", "β: by its weights cannot be told"]


@pytest.mark.parametrize("odd", [7, {"findings": "all"}, None])
def test_what_anybody_may_have_written_breaks_nothing(odd):
    assert describe_adopted({"report": odd, "beta": odd, "input": odd})[-1].startswith("β")


def test_a_result_without_kl_has_no_elbo():
    assert describe_result({"reconstruction": 2.5}) == "reconstruction 2.50 nats per image, no KL"
