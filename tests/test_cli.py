"""The command line: light help, one JSON object at the end, one sentence for an error."""

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

from explorer.cli import build_parser, main, may_choose_threads
from explorer.commands.app import check_port
from explorer.commands.training import config_from_options, count_in_sweep
from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.paths import resource
from explorer.recipes import default_config
from explorer.runs.sweeps import Sweep
from explorer.runs.writer import RunWriter
from explorer.training.loop import train
from tests.helpers import read_json
from tests.small_run import change, make_config

LONG, DEEP = "x" * 4000, "x/" * 2000
"""A name and a path that no system takes."""


def test_help_loads_neither_torch_nor_streamlit():
    code = (
        "import sys, explorer.cli as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('torch', 'streamlit', 'numpy') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "command",
    [
        "app",
        "train",
        "fit",
        "adopt",
        "replay",
        "evaluate",
        "beta",
        "diagnose",
        "disentangle",
        "report",
        "data",
        "check",
        "runs",
    ],
)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert "usage: latent-explorer" in capsys.readouterr().out


def test_train_prints_the_contract_and_evaluate_repeats_its_figures(tmp_path, capsys):
    out = str(tmp_path / "run")
    arguments = ["train", "--dataset", "digits", "--steps", "60", "--out", out, "--json"]
    assert main(arguments) == 0
    trained = read_json(capsys)
    assert {
        "run", "elbo", "reconstruction", "kl", "kl_per_dim", "images_per_second", "seconds",
    } <= set(trained)  # fmt: skip
    assert trained["elbo"] == pytest.approx(-(trained["reconstruction"] + trained["kl"]))
    assert sum(trained["kl_per_dim"]) == pytest.approx(trained["kl"])
    assert main(["evaluate", out, "--json"]) == 0
    assert read_json(capsys)["elbo"] == pytest.approx(trained["elbo"], abs=1e-4)
    assert main(["evaluate", out, "--limit", "20", "--importance-samples", "50", "--json"]) == 0
    weighted = read_json(capsys)
    assert weighted["images"] == 20 and weighted["log_px"] > weighted["log_px_elbo"]


def test_evaluate_tells_bits_per_dimension_of_grey_values(tmp_path, capsys):
    out = str(tmp_path / "run")
    arguments = ["train", "--dataset", "digits", "--likelihood", "discretized-logistic"]
    assert main([*arguments, "--steps", "5", "--out", out]) == 0
    capsys.readouterr()
    assert main(["evaluate", out, "--limit", "20", "--json"]) == 0
    found = read_json(capsys)
    # 64 pixels, log 2 nats a bit; the bound is from above as the ELBO is from below.
    expected = -found["elbo"] / (64 * math.log(2))
    assert found["bits_per_dim_at_most"] == pytest.approx(expected)
    assert main(["evaluate", out, "--limit", "20", "--importance-samples", "50"]) == 0
    assert "bits per dimension" in capsys.readouterr().out


def test_binary_pixels_have_no_bits_per_dimension(capsys):
    assert main(["evaluate", "digits-2d", "--limit", "20", "--json"]) == 0
    assert read_json(capsys)["bits_per_dim_at_most"] is None


def test_a_finished_run_is_not_overwritten_unasked(tmp_path, capsys):
    arguments = ["train", "--dataset", "digits", "--steps", "5", "--out", str(tmp_path / "run")]
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert "finished at step 5: look at it as it is, choose" in capsys.readouterr().err
    assert main([*arguments, "--seed", "1"]) == 2
    assert "holds another run; choose another folder or overwrite it" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0
    # As a loss of power leaves it.
    (tmp_path / "run" / "run.json").write_text("", encoding="utf-8")
    assert main(arguments) == 2
    assert main([*arguments, "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--dataset", "nope"], "no data set 'nope'"),
        (["train", "--latent-dim", "0"], "latent_dim must be"),
        (["train", "--latent-dim", "100000"], "latent_dim must be"),
        (["train", "--beta", "nan"], "beta must be"),
        (["train", "--beta", "-1"], "beta must be"),
        (["train", "--seconds", "-5"], "seconds must be"),
        (["train", "--config", "/no/such/file.toml"], "cannot be read"),
        (["train", "--device", "cuda", "--steps", "1"], "no cuda device"),
        (["evaluate", "no-such-run"], "There is no run"),
        (["evaluate", "digits-2d", "--limit", "0"], "--limit must be"),
        (["evaluate", "digits-2d", "--dataset", "shapes"], "this model takes"),
        (["diagnose"], "either a run or --codes"),
        (["data", "nope"], "no data set 'nope'"),
        (["app", "--port", "99999999"], "port"),
        (["train", "--seed", "-1"], "seed must be"),
        (["train", "--seed", str(2**31)], "seed must be"),
        (["fit", "--model", "ppca", "--seed", "-1"], "seed must be"),
        (["evaluate", "digits-2d", "--limit", "9", "--seed", "-1"], "seed must be"),
        (["evaluate", "digits-2d", "--limit", "9", "--seed", str(10**40)], "seed must be"),
        (["report", "--out", "r.html"], "either a run or --codes"),
        (
            ["report", "--codes", "c.npz", "--beta", "2", "--out", "r.html"],
            "--beta goes with a run",
        ),
        (["report", "digits-2d", "--beta", "-2", "--out", "r.html"], "a number from 0"),
        (["report", "digits-2d", "--out", "pyproject.toml"], "is there already"),
        (["diagnose", "digits-2d", "--seed", "-1"], "seed must be"),
        (["diagnose", "digits-2d", "--seed", str(2**63)], "seed must be"),
        (["diagnose", "--codes", "/no/such/file.npz"], "No such file"),
        (["evaluate", LONG], "There is no run"),
        (["diagnose", DEEP], "There is no run"),
        (["diagnose", "--codes", LONG], "File name too long"),
        (["train", "--config", DEEP], "cannot be read"),
        (["data", "mnist", "--data-root", LONG], "is not on this computer"),
    ],
)
def test_a_mistake_is_one_clear_sentence_and_exit_code_2(arguments, said, capsys, tmp_path):
    if arguments[0] in ("train", "fit"):
        import torch

        if "cuda" in arguments and torch.cuda.is_available():
            pytest.skip("this machine has a CUDA device")
        arguments = [*arguments, "--out", str(tmp_path / "run")]
    assert main(arguments) == 2
    streams = capsys.readouterr()
    assert said in streams.err and streams.err.count("\n") == 1 and "Traceback" not in streams.err
    assert len(streams.err) < 1100
    assert not (tmp_path / "run").exists(), "nothing half-made is left behind"


def test_of_a_sweep_each_beta_with_several_k_says_how_many_are_enough(tmp_path):
    config = make_config(5)
    grid = {"a": (1, 1.0), "b": (2, 1.0), "c": (2, 4.0)}
    configs = {
        name: change(config, model__latent_dim=latents, objective__beta=beta)
        for name, (latents, beta) in grid.items()
    }
    for name, each in configs.items():
        train(each, tmp_path / name)
    found = count_in_sweep(Sweep(tmp_path, "sweep", configs))
    assert list(found) == [1.0], "one K says nothing"
    count, theory = found[1.0]
    assert [member.latents for member in count.members] == [1, 2]
    assert theory is None, "of a Bernoulli the linear theory says nothing"
    held = change(config, model__likelihood="gaussian", model__sigma2=0.05)
    configs = {f"held-{k}": change(held, model__latent_dim=k) for k in (1, 2)}
    for name, each in configs.items():
        train(each, tmp_path / name)
    count, theory = count_in_sweep(Sweep(tmp_path, "sweep", configs))[1.0]
    assert theory is not None and theory.latents == (0, 1, 2)
    assert count.floor == pytest.approx(theory.elbo[0])


@pytest.mark.parametrize("out", [LONG, DEEP, "x/" * 600], ids=["long", "deep", "half as deep"])
@pytest.mark.parametrize(
    "command",
    [["train"], ["fit", "--model", "ppca"], ["sweep", "--beta", "1", "2"],
     ["sweep", "--together", "--beta", "1", "2"]],
    ids=["train", "fit", "sweep", "family"],
)  # fmt: skip
def test_a_place_that_no_system_has_is_one_sentence(command, out, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    budget = [] if command[0] == "fit" else ["--steps", "1"]
    assert main([*command, *budget, "--out", out]) == 2
    error = capsys.readouterr().err
    assert "cannot be created" in error or "could not be written" in error
    assert error.count("\n") == 1 and len(error) < 600
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["seed = 1" + "0" * 5000, "a = " + "[" * 3000, "[" + "a." * 9000 + "a]", "\ufffe", "a = \x00"],
    ids=["digits", "nesting", "dots", "letters", "zero"],
)
def test_a_config_of_any_content_is_one_sentence(text, capsys, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-16" if "\ufffe" in text else "utf-8")
    assert main(["train", "--config", str(path), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and len(error) < 1100 and "config" in error


def test_what_the_system_refuses_is_one_sentence(capsys, monkeypatch):
    def refuse(options):
        raise PermissionError(13, "Permission denied", "/root/secret")

    monkeypatch.setattr("explorer.commands.runs.list_runs", refuse)
    assert main(["runs"]) == 2
    assert capsys.readouterr().err == "latent-explorer: Permission denied: /root/secret.\n"


def test_a_config_file_is_read_and_options_override_it(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(default_config("strokes", 20, 12.0).to_toml(), encoding="utf-8")
    options = build_parser().parse_args(["train", "--config", str(path), "--beta", "4"])
    config = config_from_options(options)
    assert (config.dataset, config.model.latent_dim, config.budget.seconds) == ("strokes", 20, 12.0)
    assert config.objective.beta == 4.0


def test_options_alone_make_the_default_recipe():
    options = build_parser().parse_args(["train", "--latent-dim", "20", "--epochs", "3"])
    config = config_from_options(options)
    assert config.model.hidden == default_config("digits", 20).model.hidden
    assert config.budget.epochs == 3 and isinstance(config, Config)
    for given, seconds in ((["--seconds", "120"], 120), (["--steps", "9"], 120), ([], 30)):
        found = config_from_options(build_parser().parse_args(["train", *given])).model
        assert found == default_config(seconds=seconds).model


def test_nothing_but_the_result_goes_into_a_pipe(tmp_path):
    out = str(tmp_path / "run")
    result = subprocess.run(
        [sys.executable, "-m", "explorer.cli", "train", "--steps", "3", "--out", out, "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LATENT_EXPLORER_RUNS": str(tmp_path)},
    )
    assert len(result.stdout.splitlines()) == 1 and result.stderr == ""


def test_a_run_of_ones_own_opens_in_place_of_a_shipped_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LATENT_EXPLORER_RUNS", str(tmp_path))
    for name in ("digits-2d", "broken"):
        RunWriter(tmp_path / name, latent_dim=7).set_state("finished")
    (tmp_path / "broken" / "run.json").write_text("{", encoding="utf-8")
    assert main(["runs", "--json"]) == 0
    listed = read_json(capsys)
    (row,) = (row for row in listed["runs"] if row["id"] == "digits-2d")
    assert (row["latent_dim"], row["pretrained"]) == (7, False)
    assert list(listed["unreadable"]) == ["broken"]
    assert main(["runs"]) == 0
    assert "broken " in capsys.readouterr().out.splitlines()[-1]
    assert main(["evaluate", "digits-2d", "--dataset", "digits"]) == 2
    assert "holds figures and codes but no model" in capsys.readouterr().err


def test_runs_and_data_are_listed(capsys):
    assert main(["runs", "--json"]) == 0
    assert "runs" in read_json(capsys)
    assert main(["data", "--json"]) == 0
    listed = read_json(capsys)["datasets"]
    assert listed["digits"]["available"] and listed["digits"]["offline"]
    assert main(["data", "digits", "--json"]) == 0
    assert read_json(capsys)["splits"]["all"] == 1797


@pytest.mark.parametrize(
    ("arguments", "may"),
    [
        (["train", "--dataset", "digits"], True),
        (["train", "--likelihood", "gaussian"], False),
        (["train", "--network", "conv"], False),
        (["train", "--config", "my.toml"], False),
        (["fit", "--model", "ppca"], False),
        (["app"], False),
    ],
)
def test_only_a_training_that_may_choose_its_threads_is_told_to_spin(arguments, may):
    assert may_choose_threads(build_parser().parse_args(arguments)) is may


@pytest.mark.skipif(sys.platform != "linux", reason="The stand-in for the browser is xdg-open.")
def test_a_first_start_asks_nothing_and_opens_the_browser(tmp_path):
    opened, opener = tmp_path / "opened", tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > {opened}\n', encoding="utf-8")
    opener.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    with open(tmp_path / "log", "w+", encoding="utf-8") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "explorer.cli", "app", "--port", port],
            env={**os.environ, "HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + 60
            while not opened.is_file() or not opened.read_text(encoding="utf-8").endswith("\n"):
                assert server.poll() is None, (tmp_path / "log").read_text(encoding="utf-8")
                assert time.monotonic() < deadline, (tmp_path / "log").read_text(encoding="utf-8")
                time.sleep(0.1)
        finally:
            server.terminate()
            server.wait(10)
    assert opened.read_text(encoding="utf-8").strip() == f"http://127.0.0.1:{port}"
    assert "mail" not in (tmp_path / "log").read_text(encoding="utf-8")


# Terminals, addresses and files as people have them.


def test_the_app_listens_on_ipv6_too():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(ExplorerError, match="cannot be opened"):
                check_port("::1", port)
    except OSError:
        pytest.skip("This machine has no IPv6.")
    check_port("::1", port)
    check_port("localhost", 0)


@pytest.mark.parametrize(
    "folder, name",
    [
        (".", "train-images-idx3-ubyte"),
        ("MNIST", "train-images-idx3-ubyte"),
        ("MNIST/raw", "train-images.idx3-ubyte"),
        ("MNIST/raw", "train-images-idx3-ubyte.gz"),
        ("raw", "train-images-idx3-ubyte"),
    ],
)
def test_mnist_that_lies_nearly_right_is_told_where_it_belongs(tmp_path, capsys, folder, name):
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / name).write_bytes(b"")
    assert main(["data", "mnist", "--data-root", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert str(tmp_path / folder / name) in told
    assert str(tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte") in told


def test_a_run_that_only_names_its_images_is_not_measured_on_ours_of_that_name(tmp_path, capsys):
    copy = tmp_path / "theirs"
    shutil.copytree(resource("pretrained") / "digits-2d", copy)
    described = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    described["dataset"]["fingerprint"] = ""
    (copy / "run.json").write_text(json.dumps(described), encoding="utf-8")
    assert main(["evaluate", str(copy), "--limit", "5"]) == 2
    assert "does not tell their pixels: say --dataset digits" in capsys.readouterr().err
    assert main(["evaluate", str(copy), "--limit", "5", "--dataset", "digits"]) == 0
