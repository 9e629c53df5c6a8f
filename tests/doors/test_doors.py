"""Whatever comes in by a door: a sentence or success; no traceback, no hang, bounded memory.

`make test` tries FEW inputs at each, `make test-slow` MANY, together more than two thousand.
"""

import json
import shutil
import signal
import sys
import time
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

from explorer.errors import ExplorerError
from explorer.models.adopted.weights import read_networks
from tests.doors.doors import DOORS, LAYERS, good_weights

resource = pytest.importorskip("resource", reason="its limits are those of Unix")
FEW, MANY = 8, 400
LONGEST_SECONDS = 10.0
"""Of one input, of which almost all take milliseconds."""
MOST_BYTES = 300_000_000
"""By which the process may have grown at its largest."""
LONGEST_SENTENCE = 1000


class Hung(BaseException):
    """It did not come back: nothing below may catch this."""


@contextmanager
def given_up_after(seconds):
    """Raise Hung in the block once it has taken so long."""

    def give_up(*_):
        raise Hung

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def largest_bytes():
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def knock(name, seed, folder, seconds=LONGEST_SECONDS):
    """Bring one input to a door; returns whether it was refused."""
    folder.mkdir()
    rng = np.random.default_rng([seed, *name.encode()])
    try:
        with given_up_after(seconds):
            DOORS[name](rng, folder)
    except ExplorerError as error:
        sentence = str(error)
        assert 0 < len(sentence) <= LONGEST_SENTENCE and "Traceback" not in sentence
        return True
    except BaseException as error:
        raise AssertionError(f"door {name!r}, seed {seed}: {type(error).__name__}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return False


def knock_often(name, seeds, tmp_path, monkeypatch):
    for variable in ("RUNS", "CACHE", "DATA"):
        monkeypatch.setenv(f"LATENT_EXPLORER_{variable}", str(tmp_path / variable))
    monkeypatch.chdir(tmp_path)
    # What the first one imports is no growth, and takes what it takes.
    knock(name, seeds[0], tmp_path / "first", 30 * LONGEST_SECONDS)
    before = largest_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refused = sum(knock(name, seed, tmp_path / "in") for seed in seeds)
    assert largest_bytes() - before < MOST_BYTES
    return refused


@pytest.mark.parametrize("name", DOORS)
def test_few_strange_inputs_are_sentences_or_success(name, tmp_path, monkeypatch, capsys):
    knock_often(name, range(FEW), tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", DOORS)
def test_many_strange_inputs_are_sentences_or_success(name, tmp_path, monkeypatch, capsys):
    knock_often(name, range(FEW, FEW + MANY), tmp_path, monkeypatch)


def test_thousands_of_inputs_are_tried():
    assert len(DOORS) * MANY >= 2000


def test_what_hangs_is_noticed(tmp_path, monkeypatch):
    """Else the tests above would say nothing of it."""
    monkeypatch.setitem(DOORS, "codes", lambda rng, folder: time.sleep(60))
    with pytest.raises(AssertionError, match="Hung"):
        knock("codes", 0, tmp_path / "in", 0.05)


def test_the_good_model_comes_in_by_the_door_of_layers(tmp_path):
    """Else it would refuse whatever was changed."""
    (tmp_path / "weights.safetensors").write_bytes(good_weights())
    (tmp_path / "layers.json").write_text(json.dumps(LAYERS), encoding="utf-8")
    encoder, decoder = read_networks(tmp_path / "weights.safetensors")
    assert (encoder.shape, decoder.shape) == ((1, 4, 4), (2,))
