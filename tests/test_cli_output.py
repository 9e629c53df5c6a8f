"""What the command line prints, on terminals that lack letters of it."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest

from explorer.cli import main


@pytest.fixture(scope="module")
def codes(tmp_path_factory):
    path = tmp_path_factory.mktemp("codes") / "codes.npz"
    rng = np.random.default_rng(0)
    np.savez(path, mean=rng.normal(size=(50, 2)), logvar=np.zeros((50, 2)))
    return str(path)


def check_words(words):
    assert ("Var μ" in words) or ("Var mu" in words)
    assert "rate" in words and "?" not in words


def test_a_process_never_dies_of_a_terminal_without_greek(codes):
    done = subprocess.run(
        [sys.executable, "-m", "explorer.cli", "diagnose", "--codes", codes],
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    check_words(done.stdout.decode("ascii"))


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "cp1252", "cp936", "cp932"])
def test_output_never_dies_of_a_code_page(codes, encoding, monkeypatch):
    words, errors = io.BytesIO(), io.BytesIO()
    for name, content in (("stdout", words), ("stderr", errors)):
        terminal = io.TextIOWrapper(content, encoding, write_through=True)
        monkeypatch.setattr(sys, name, terminal)
    assert main(["diagnose", "--codes", codes]) == 0
    assert errors.getvalue() == b""
    check_words(words.getvalue().decode(encoding))
