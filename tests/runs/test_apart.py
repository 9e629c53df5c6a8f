"""Names tell runs apart by what differs between them."""

import dataclasses

from explorer.config import BudgetConfig, Config, ModelConfig, ObjectiveConfig
from explorer.runs.apart import find_differences, list_settings, tell_apart
from tests.helpers import begin_run


def told(**fields):
    return {"objective.beta": 1.0, "model.latent_dim": 2, "seed": 0, "budget.seconds": 20, **fields}


def test_runs_called_alike_are_told_apart_by_what_differs():
    runs = [
        ("digits", told()),
        ("digits (2)", told(**{"objective.beta": 4.0})),
        ("digits (3)", told(seed=3)),
        ("shapes", told(**{"model.latent_dim": 8})),
    ]
    assert tell_apart(runs) == [
        {"objective.beta": 1.0, "seed": 0},
        {"objective.beta": 4.0, "seed": 0},
        {"objective.beta": 1.0, "seed": 3},
        {},
    ]


def test_a_longer_budget_alone_is_no_other_model():
    runs = [("digits", told()), ("digits (2)", told(**{"budget.seconds": 60}))]
    assert tell_apart(runs) == [{}, {}]
    assert find_differences([settings for _, settings in runs]) == ["budget.seconds"]


def test_settings_are_named_by_their_place_in_the_config(tmp_path):
    run_info = begin_run(tmp_path / "own").info
    config = Config(
        model=ModelConfig(latent_dim=3, hidden=(8, 4)),
        objective=ObjectiveConfig(beta=2.5),
        budget=BudgetConfig(steps=10),
    )
    settings = list_settings(dataclasses.replace(run_info, config=config))
    assert settings["model.hidden"] == (8, 4)
    assert (settings["model.latent_dim"], settings["objective.beta"]) == (3, 2.5)


def test_of_a_loop_of_ones_own_what_is_known_is_compared(tmp_path):
    two, five = (begin_run(tmp_path / str(dim), dim).info for dim in (2, 5))
    assert find_differences([list_settings(two), list_settings(five)]) == ["model.latent_dim"]
