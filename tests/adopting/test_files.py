"""Files of which nothing is known are adopted in a process of its own, from the command line."""

import json
import os
import sys

import pytest
import torch

from explorer.adopting import files
from explorer.adopting.files import ModelFiles, adopt_files
from explorer.adopting.told import Told
from explorer.cli import main
from explorer.errors import ExplorerError
from explorer.runs.run import Run
from tests.models.adopted.onnx_writer import digits_decoder, digits_encoder, one_node

BINARY_DIGITS = Told("digits", "bernoulli", binarise=True)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, data in (("enc", digits_encoder("std")), ("dec", digits_decoder())):
        (folder / f"{name}.onnx").write_bytes(data)
    return folder / "enc.onnx", folder / "dec.onnx"


@pytest.fixture(scope="module")
def run(pair, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    run, doubt = adopt_files(folder / "run", ModelFiles(*pair), BINARY_DIGITS, data_root=folder)
    assert doubt == ""
    return run


def last_line(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_commands_then_work_with_the_run_as_with_any_other(run, capsys):
    assert main(["evaluate", str(run.path), "--json"]) == 0
    found = last_line(capsys)
    assert found["split"] == "test" and found["elbo"] == pytest.approx(-23.04, abs=0.05)
    assert main(["diagnose", str(run.path), "--json"]) == 0
    assert last_line(capsys)["active_units"] == 2


def test_a_runs_own_files_are_read_again_as_weights_and_layers(run, tmp_path, capsys):
    arguments = ["adopt", "--weights", str(run.path / "checkpoint.safetensors"), "--images"]
    arguments += ["digits", "--likelihood", "bernoulli", "--binarise", "--beta", "1", "--name"]
    arguments += ["Again", "--data-root", str(tmp_path), "--out", str(tmp_path / "run"), "--json"]
    assert main(arguments) == 0
    found = last_line(capsys)
    assert found["elbo"] == pytest.approx(run.info.best_results["elbo"], abs=1e-3)
    assert found["self_test"] == {"passed": True, "findings": []} and found["question"] is None
    again = Run(tmp_path / "run")
    assert again.name == "Again" and again.info.beta == found["beta"]["told"] == 1


class Evil:
    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def test_nothing_of_a_pickle_runs_and_nothing_is_left(tmp_path, capsys):
    torch.save(Evil(tmp_path / "PWNED"), tmp_path / "evil.pt")
    out = tmp_path / "runs" / "run"
    arguments = ["adopt", "--weights", str(tmp_path / "evil.pt"), "--images", "digits"]
    arguments += ["--likelihood", "bernoulli", "--out", str(out)]
    assert main(arguments) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "would run its code" in sentence
    assert not (tmp_path / "PWNED").exists() and list(out.parent.iterdir()) == []


def test_a_file_that_is_refused_is_one_sentence_and_the_run_that_was_there_stays(pair, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}", encoding="utf-8")
    (tmp_path / "odd.onnx").write_bytes(one_node("NonMaxSuppression", shape=("n",)))
    with pytest.raises(ExplorerError, match="NonMaxSuppression"):
        adopt_files(
            tmp_path / "run",
            ModelFiles(tmp_path / "odd.onnx", pair[1]),
            BINARY_DIGITS,
            overwrite=True,
            data_root=tmp_path,
        )
    assert (tmp_path / "run" / "run.json").read_text(encoding="utf-8") == "{}"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_what_takes_too_much_memory_is_ended(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MEMORY_BYTES", 20_000_000)
    with pytest.raises(ExplorerError, match="Reading this model takes more than.*20"):
        adopt_files(tmp_path / "run", ModelFiles(*pair), BINARY_DIGITS, data_root=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "given, sentence",
    [
        ({}, "Give either"),
        ({"encoder": "enc.onnx"}, "give both"),
        ({"encoder": "enc.onnx", "decoder": "dec.onnx", "weights": "w.pt"}, "Give either"),
    ],
)
def test_files_that_are_no_model_are_one_sentence(given, sentence):
    with pytest.raises(ExplorerError, match=sentence):
        ModelFiles(**given)


@pytest.mark.parametrize("setting", ["spread", "scale=two"])
def test_a_setting_that_is_none_is_one_sentence(setting, pair, tmp_path, capsys):
    arguments = ["adopt", "--encoder", str(pair[0]), "--decoder", str(pair[1]), "--images"]
    arguments += ["digits", "--likelihood", "bernoulli", "--out", str(tmp_path / "run")]
    assert main([*arguments, "--reading", setting]) == 2
    assert "--reading" in capsys.readouterr().err
