"""Known factors of a run and of a file: codes that are the factors score 1, and are named."""

import json

import numpy as np
import pytest

from explorer.analysis.representation.known_factors import score_factors, score_run_factors
from explorer.cli import main
from explorer.codes import Codes
from explorer.errors import ExplorerError

RNG = np.random.default_rng(0)
COUNT = 600
KIND, SIZE = RNG.integers(0, 3, COUNT), RNG.uniform(size=COUNT)
WORDS = np.array(["disc", "square", "star"])[KIND]


def test_codes_that_are_the_factors_score_high_and_are_named():
    mean = np.stack([SIZE, 0.01 * RNG.normal(size=COUNT), KIND.astype(float)], 1)
    found = score_factors(mean, {"shape": WORDS, "size": SIZE})
    assert min(found.scores.mig, found.scores.sap, found.scores.factor_vae) > 0.9
    assert [(one.name, one.best) for one in found.told] == [("shape", 2), ("size", 0)]
    # A word's entropy is what a code that is the word tells of it.
    shares = np.bincount(KIND) / COUNT
    assert found.told[0].nats == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-6)


def test_noise_tells_nothing():
    assert score_factors(RNG.normal(size=(COUNT, 3)), {"size": SIZE}).scores.mig < 0.1


def test_a_runs_codes_take_the_factors_of_their_images():
    ids = RNG.permutation(COUNT)[:300]
    codes = Codes(SIZE[ids][:, None], None, None, ids)
    assert score_run_factors(codes, {"size": SIZE}).scores.mig > 0.9


@pytest.mark.parametrize(
    "factors",
    [
        {},
        {"still": np.zeros(COUNT)},
        {"gaps": np.where(SIZE < 0.5, np.nan, SIZE)},
        {"barcode": np.arange(COUNT).astype(str)},
    ],
)
def test_without_a_factor_that_can_be_scored_it_says_where_they_come_from(factors):
    with pytest.raises(ExplorerError, match="no known factors"):
        score_factors(RNG.normal(size=(COUNT, 2)), factors)


def test_the_command_scores_a_file_with_columns(tmp_path, capsys):
    np.savez(tmp_path / "codes.npz", mean=np.stack([SIZE, KIND], 1), size=SIZE, kind=WORDS)
    arguments = ["disentangle", "--codes", str(tmp_path / "codes.npz")]
    assert main(arguments) == 0
    assert "  size: z₁ " in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["mig"] > 0.9 and set(values["names"]) == {"size", "kind"}


def test_the_command_scores_a_shipped_run(capsys):
    assert main(["disentangle", "strokes-vae-2d", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert 0 <= values["mig"] <= 1 and values["images"] == 2000
    # What an error advises of a run without named images is there to be said.
    assert main(["disentangle", "strokes-vae-2d", "--dataset", "digits"]) == 2
    assert main(["disentangle", "strokes-vae-2d", "--dataset", "strokes"]) == 0
    capsys.readouterr()
    assert main(["disentangle", "digits-2d"]) == 2
    assert "no known factors" in capsys.readouterr().err
    assert main(["disentangle"]) == 2
