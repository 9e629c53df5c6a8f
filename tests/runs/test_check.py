"""A run directory is held against its format: by the readers, and by the schema that is shipped."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from explorer.cli import main
from explorer.errors import ExplorerError
from explorer.paths import resource
from explorer.runs.check import MOST_PER_FILE, check_run, find_runs
from explorer.runs.info_read import read_info
from explorer.runs.run import Run
from explorer.runs.schema import describe_field, read_schema
from explorer.runs.writer import RunWriter
from tests.runs.hostile import make_run

ROOT = Path(__file__).parents[2]
(MINIMAL,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/format.md").read_text("utf-8"), re.S)
SHIPPED = sorted(path.name for path in resource("pretrained").iterdir() if path.is_dir())
DESCRIPTION = {"$ref": "#/$defs/run", "$defs": read_schema()["$defs"]}


@pytest.fixture
def minimal(tmp_path, monkeypatch):
    """The run that docs/format.md writes, by itself: without this library."""
    monkeypatch.chdir(tmp_path)
    assert "explorer" not in MINIMAL and "numpy" not in MINIMAL
    subprocess.run([sys.executable, "-c", MINIMAL], check=True)
    return tmp_path / "minimal-run"


def change(folder, **fields):
    """Replace fields of run.json, named with dots turned into double underscores."""
    values = json.loads((folder / "run.json").read_text("utf-8"))
    for name, value in fields.items():
        *way, last = name.split("__")
        table = values
        for part in way:
            table = table[part]
        table[last] = value
    (folder / "run.json").write_text(json.dumps(values), "utf-8")


def write_log(folder, *points):
    text = "".join(p if isinstance(p, str) else json.dumps(p) + "\n" for p in points)
    (folder / "metrics.jsonl").write_text(text, "utf-8")


def told(folder):
    return [str(fault) for fault in check_run(folder)]


POINT = {"step": 1, "seconds": 0.5, "reconstruction": 90.0, "kl": 5.0, "elbo": -95.0}


# What passes


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_run_passes(name):
    for folder in find_runs(resource("pretrained") / name):
        assert told(folder) == []


def test_a_run_written_by_hand_passes_and_is_read(minimal):
    assert told(minimal) == []
    assert [point["elbo"] for point in Run(minimal).metrics()] == [-95]


@pytest.mark.parametrize("state", ["running", "finished"])
def test_what_the_writer_writes_passes(tmp_path, state):
    run = make_run(tmp_path / "run")
    change(run.path, status__state=state)
    assert told(run.path) == []
    jsonschema.validate(json.loads((run.path / "run.json").read_text("utf-8")), DESCRIPTION)


def test_a_torn_last_line_is_a_fault_once_nobody_writes(minimal):
    write_log(minimal, POINT, '{"step": 2, "sec')
    assert told(minimal) == ["metrics.jsonl, line 2: Its end is missing; it is not read."]
    change(minimal, status__state="running")
    assert told(minimal) == []


# What is told


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"schema": 3}, "run.json: It was written by another version (schema 3; this"),
        ({"created": "today"}, "run.json: created is missing or not what it must be: when the run"),
        ({"model__latent__dim": 0}, "model.latent.dim is missing or not what it must be: how many"),
        ({"model__latent__kind": "vector"}, "gaussian (mean and log-variance), point (mean alone)"),
        ({"status__state": "done"}, "queued, running, paused, finished, stopped or failed."),
        ({"status__epoch": 3}, "run.json: status.epoch is no field of a run description."),
        ({"config": {"a": 1}}, "run.json: It is not a complete run description: "),
        ({"images": {"name": "mine"}}, "images.shape is missing or not what it must be: [channels"),
        ({"results": {"test": {"elbo": "low"}}}, "results.test.elbo is missing or not what it"),
        ({"timing": {"seconds": None}}, "timing.seconds is missing or not what it must be: a"),
        (
            {"results": {"test": {"elbo": -40.0, "reconstruction": 30.0, "kl": 5.0}}},
            "run.json, results.test: elbo is -40, but −(reconstruction + kl) is -35",
        ),
        ({"model__kind": "layers"}, "checkpoint.safetensors: "),
    ],
)
def test_a_field_of_the_description_is_told_with_what_it_must_be(minimal, fields, said):
    change(minimal, **fields)
    (fault,) = told(minimal)
    assert said in fault and fault.endswith(".") and str(minimal.parent) not in fault


@pytest.mark.parametrize("content", ["", "{", "[]", "NaN"])
def test_a_description_that_is_none_is_told(minimal, content):
    (minimal / "run.json").write_text(content, "utf-8")
    assert told(minimal) == ["run.json: It cannot be read as a run description."]


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ({"step": 1.5}, "Step must be a whole number from 0."),
        ({"step": None}, "Step must be a finite number."),
        ({"elbo": None}, "Elbo must be a finite number."),
        ({"reconstruction": "90"}, "Reconstruction must be a finite number."),
        ({"beta": "1"}, "Beta must be a finite number, or null."),
        ({"kl_per_dim": [5.0]}, "Kl_per_dim must be 2 finite numbers, one per latent dimension."),
        ({"kl_per_dim": [2.0, 2.0]}, "kl is 5, but kl_per_dim sums to 4."),
        ({"elbo": -110.0}, "elbo is -110, but −(reconstruction + kl) is -95: the ELBO has no β"),
        ({"elbo": 95.0}, "elbo is 95, but"),
    ],
)
def test_a_figure_of_the_log_is_told_with_its_line(minimal, point, said):
    write_log(minimal, POINT, POINT | {"step": 2} | point)
    (fault,) = told(minimal)
    assert fault.startswith("metrics.jsonl, line 2: ") and said in fault


def test_a_line_that_is_no_json_is_told(minimal):
    write_log(minimal, '{"step": 1, "seconds": 1, "reconstruction": NaN, "elbo": NaN}\n')
    assert told(minimal) == [
        "metrics.jsonl, line 1: It is no JSON in UTF-8; NaN and Infinity are none."
    ]


def test_steps_that_fall_are_told_with_both_lines(minimal):
    write_log(minimal, POINT | {"step": 9}, POINT | {"step": 3, "split": "test"}, POINT)
    assert told(minimal) == [
        "metrics.jsonl, line 3: Step 1 follows step 9 (line 1) of the same split; steps never fall."
    ]


def test_of_a_thousand_faults_the_first_are_told(minimal):
    write_log(minimal, *({} for _ in range(1000)))
    assert len(told(minimal)) == MOST_PER_FILE


@pytest.mark.parametrize(
    ("name", "arrays", "said"),
    [
        ("codes.npz", {"logvar": np.zeros((4, 2))}, "There is no array mean."),
        ("codes.npz", {"mean": np.zeros((4, 3))}, "mean must have the shape (N, 2)"),
        ("codes.npz", {"mean": np.zeros((4, 2)), "labels": np.zeros(3, int)}, "labels must have"),
        ("codes.npz", {"mean": np.zeros((4, 2)), "labels": np.full(4, 0.5)}, "whole numbers"),
        ("snapshots/000000001.npz", {"mean": np.zeros((4, 2)), "samples": np.zeros((4, 64))},
         "samples must be pictures (M, C, H, W)"),
        ("snapshots/1.npz", {"mean": np.zeros((4, 2))}, "named by its step, such as 000000100.npz"),
    ],
)  # fmt: skip
def test_arrays_are_told_with_their_file(minimal, name, arrays, said):
    (minimal / "snapshots").mkdir()
    np.savez(minimal / name, **arrays)
    (fault,) = told(minimal)
    assert fault.startswith(f"{name}: ") and said in fault


def test_a_name_that_no_page_shows_and_a_folder_that_no_page_finds_are_told(minimal):
    (minimal / "viewer.json").write_text('{"name": ""}', "utf-8")
    moved = minimal.rename(minimal.parent / "my run!")
    assert [fault.split(":")[0] for fault in told(moved)] == [".", "viewer.json"]


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(ExplorerError, match="no run.json in"):
        find_runs(tmp_path)


# The schema and the readers agree

WEIRD = [None, True, -1, 3.5, "", "x" * 2500, [], {}, [1, 2], {"a": 1}, "standard", "bernoulli"]
"""Of 1.0, which the schema takes for a whole number and the readers do not, they may differ."""


OURS = [("seed",), ("config",)]
"""Of trainings of ours alone; the schema does not describe their settings."""


def fields_of(table, way=()):
    for name, value in table.items():
        yield (*way, name)
        if isinstance(value, dict):
            yield from fields_of(value, (*way, name))


FULL = json.loads(json.dumps({
    "schema": 2, "created": 1.0, "seed": None,
    "model": {
        "kind": "none", "shape": [1, 4, 4], "latent": {"kind": "gaussian", "dim": 2},
        "prior": {"name": "standard"}, "adopted": None,
        "likelihood": {"name": "gaussian", "sigma2": 0.1, "binarise": None, "told": True},
    },
    "images": {"name": "own", "shape": [1, 4, 4], "class_names": ["a"], "fingerprint": "",
               "pixels": ""},
    "config": None, "planned_steps": 5, "status": vars(read_info(
        json.loads((resource("pretrained") / "digits-2d/run.json").read_text("utf-8")), "").status),
    "timing": {"seconds": 1.0},
    "results": {"test": {"elbo": -1.0, "reconstruction": 1.0, "kl": 0.0, "kl_per_dim": [0, 0]}},
    "versions": {"torch": "2"},
}))  # fmt: skip


def agrees(values):
    """Tell what the schema says of a description, having seen the reader say the same."""
    valid = jsonschema.Draft202012Validator(DESCRIPTION).is_valid(values)
    try:
        read_info(values, "It")
    except ExplorerError:
        assert not valid, values
    else:
        assert valid, values
    return valid


@pytest.mark.parametrize("way", [way for way in fields_of(FULL) if way not in OURS], ids=".".join)
def test_schema_and_readers_take_and_refuse_the_same(way):
    assert agrees(FULL)
    refused = 0
    for value in WEIRD:
        values = copy.deepcopy(FULL)
        table = values
        for part in way[:-1]:
            table = table[part]
        table[way[-1]] = value
        if (way[-1], value) != ("kl_per_dim", []):  # Of another length: no schema can tell.
            refused += not agrees(values)
    assert refused


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "mnist-beta-sweep"])
def test_shipped_runs_as_they_would_be_written_now_fit_the_schema(name):
    run = Run(resource("pretrained") / name)
    validate = jsonschema.Draft202012Validator(read_schema()).validate
    files = {"run.json": run.info.to_dict(), "metrics.jsonl": run.metrics()[:50]}
    validate(json.loads(json.dumps(files)))


def test_the_schema_is_one_and_says_what_each_field_must_be():
    jsonschema.Draft202012Validator.check_schema(read_schema())
    for way in fields_of(FULL):
        if way != ("model",):
            assert describe_field(".".join(way)), way
    assert describe_field("no.such.field") is None


# The command


def test_the_command_tells_faults_and_exits_with_2(minimal, capsys):
    assert main(["check", str(minimal)]) == 0
    assert capsys.readouterr().out == "minimal-run is a run that every page can read.\n"
    change(minimal, status__state="done")
    assert main(["check", str(minimal), "--json"]) == 2
    values = json.loads(capsys.readouterr().out)
    assert [(row["file"], row["place"]) for row in values["faults"]] == [("run.json", "")]
    assert values["runs"] == ["minimal-run"]


def test_a_folder_of_runs_is_checked_whole(tmp_path, capsys):
    for name in ("a", "b"):
        RunWriter(tmp_path / name, latent_dim=2).set_state("finished")
    change(tmp_path / "b", created=-1)
    assert main(["check", str(tmp_path)]) == 2
    assert capsys.readouterr().out.startswith("b/run.json: created is missing or not")
    assert main(["check", str(tmp_path / "nowhere")]) == 2


def test_the_schema_is_printed(capsys):
    assert main(["check", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == read_schema()
