"""The weighing of spreads: no alarm on models that are right, as known as they can be."""

from pathlib import Path

import numpy as np
import pytest

from explorer.analysis.codes_in.spread import as_logvar, measure_fits, weigh_spread
from explorer.errors import ExplorerError
from explorer.runs.store import open_run
from tests.analysis.codes_in.makers import make_codes

PRETRAINED = Path(__file__).resolve().parents[3] / "pretrained"
SHIPPED = sorted(
    path.parent.relative_to(PRETRAINED).as_posix() for path in PRETRAINED.glob("**/codes.npz")
)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_shipped_model_raises_a_doubt(name):
    codes = open_run(PRETRAINED / name).codes()
    if codes is None or codes.logvar is None or codes.mean.shape[1] == 0:
        pytest.skip("This model's codes have no log-variances.")
    found = weigh_spread(codes.mean, codes.logvar, "logvar")
    assert found.verdict in ("agrees", "cannot_tell") and found.told is None
    for wrong in ("std", "variance"):
        again = weigh_spread(codes.mean, np.exp(codes.logvar / (2 if wrong == "std" else 1)), wrong)
        assert again.verdict in ("agrees", "cannot_tell")


def test_fits_are_the_total_variances_distance_from_one():
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(10_000, 3)) * np.sqrt([0.9, 0.9, 0.0])
    values = np.log(np.tile([0.1, 0.1, 1.0], (10_000, 1)))
    fits = measure_fits(mean, values)
    assert fits["logvar"] == pytest.approx(0.0, abs=0.02)
    assert fits["log_std"] == pytest.approx(0.1 - 0.1**2, abs=0.02)
    assert set(fits) == {"logvar", "log_std", "softplus"}


def test_what_is_asked_for_is_used_if_it_can_be():
    mean, logvar = make_codes()
    assert weigh_spread(mean, np.exp(logvar), "logvar", asked="variance").used == "variance"
    with pytest.raises(ExplorerError, match="cannot be variance: it falls to"):
        weigh_spread(mean, logvar, "logvar", asked="variance")
    with pytest.raises(ExplorerError, match="none of them"):
        weigh_spread(mean, logvar, "logvar", asked="precision")
    with pytest.raises(ExplorerError, match="no spread"):
        weigh_spread(mean, -1e6 * np.ones_like(mean), "variance")


def test_readings_are_inverses_of_what_people_store():
    logvar = np.linspace(-20, 5, 50)
    std = np.exp(logvar / 2)
    stored = {
        "logvar": logvar,
        "log_std": logvar / 2,
        "std": std,
        "variance": std**2,
        "softplus": np.log(np.expm1(std)),
    }
    for reading, values in stored.items():
        assert as_logvar(values, reading) == pytest.approx(logvar, abs=1e-6)


def test_noise_alone_is_no_doubt():
    """With 30 items Var μ is off by a quarter and more: nothing can be told."""
    alarms = 0
    for seed in range(40):
        mean, logvar = make_codes(30, 8, 4, 0.2, seed)
        alarms += weigh_spread(mean, logvar, "logvar").told is not None
    assert alarms == 0
