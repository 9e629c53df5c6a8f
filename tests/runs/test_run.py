"""Reading a run directory at any time: log points, frames, codes and names."""

import json
import os
import threading
import time

import numpy as np
import pytest

from explorer.errors import ExplorerError
from explorer.runs import run as run_module
from explorer.runs.run import RUN_ID, Run, mean_kl, new_run_id
from explorer.runs.writer import RunWriter
from tests.helpers import begin_run, present


@pytest.fixture
def writer(tmp_path):
    return begin_run(tmp_path / "run")


# Log points


def test_a_torn_last_line_and_foreign_lines_are_ignored(writer):
    for step in (1, 2, 3):
        writer.log(step, reconstruction=step, kl_per_dim=[0.5, 0.25])
    path = writer.path / "metrics.jsonl"
    whole = path.read_bytes()
    for cut in range(1, 80):
        path.write_bytes(whole[:-cut])
        assert [point["step"] for point in Run(writer.path).metrics()] == [1, 2]
    path.write_bytes(whole + b"nonsense\n3\n[1]\n" + b'{"step": 4}\n{"st')
    assert [point["step"] for point in Run(writer.path).metrics()] == [1, 2, 3]


@pytest.mark.parametrize(
    "change",
    [
        {"step": -1}, {"step": "2"}, {"step": 2.5}, {"step": 10**30}, {"elbo": True},
        {"elbo": None}, {"beta": "1"}, {"split": 3}, {"images": "many"}, {"seconds": None},
        {"kl": None}, {"kl": [1]}, {"kl_per_dim": None}, {"kl_per_dim": 3.0},
        {"kl_per_dim": [0.5]}, {"kl_per_dim": [0.5, None]}, {"kl_per_dim": ["a", "b"]},
    ],
)  # fmt: skip
def test_a_line_with_a_figure_of_another_kind_is_no_log_point(writer, change):
    for step in (1, 2, 3):
        writer.log(step, reconstruction=step, kl_per_dim=[0.5, 0.25])
    path = writer.path / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), **change})
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    points = Run(writer.path).metrics()
    assert [point["step"] for point in points] == [1, 3]
    assert mean_kl(points).tolist() == [[0.5, 0.25]] * 2


@pytest.mark.parametrize("line", ["[" * 5000, "1" + "0" * 5000, '{"step": NaN}', "\ud800"])
def test_a_line_that_is_no_json_is_no_log_point(writer, line):
    writer.log(1, reconstruction=1.0)
    with open(writer.path / "metrics.jsonl", "ab") as stream:
        stream.write(line.encode("utf-8", "surrogatepass") + b"\n")
    assert [point["step"] for point in Run(writer.path).metrics()] == [1]


def test_a_log_without_end_is_told(writer, monkeypatch):
    writer.log(1, reconstruction=1.0)
    monkeypatch.setattr(run_module, "LARGEST_LOG", 100)
    with pytest.raises(ExplorerError, match="more than 100 bytes"):
        Run(writer.path).metrics()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="There are no pipes with names here.")
def test_a_pipe_in_a_files_place_is_not_waited_for(writer):
    writer.snapshot(1, np.zeros((3, 2)))
    run = Run(writer.path)
    for name in ("metrics.jsonl", "codes.npz", "viewer.json", "checkpoint.safetensors"):
        os.mkfifo(run.path / name)
    os.replace(run.path / "viewer.json", run.path / "snapshots" / "000000002.npz")
    os.mkfifo(run.path / "viewer.json")
    assert (run.metrics(), run.codes(), run.name) == ([], None, "run")
    assert run.snapshot_steps() == [1, 2]
    for look in (lambda: run.snapshot(2), lambda: run.model):
        with pytest.raises(ExplorerError):
            look()
    (run.path / "run.json").unlink()
    os.mkfifo(run.path / "run.json")
    with pytest.raises(ExplorerError):
        _ = run.info
    with pytest.raises(ExplorerError, match="There is no run"):
        Run(run.path)


def test_frames_are_named_by_their_step(writer):
    writer.snapshot(7, np.zeros((3, 2)))
    for name in ("²", "٣", "7", "0000000007", "-00000001", "9" * 200, "frame"):
        (writer.path / "snapshots" / f"{name}.npz").write_bytes(b"")
    assert Run(writer.path).snapshot_steps() == [7]


def test_log_points_of_one_split(writer):
    assert Run(writer.path).metrics() == []
    writer.log(1, reconstruction=2.0, split="train")
    writer.log(1, reconstruction=3.0, split="validation", kl_per_dim=[1, 2])
    run = Run(writer.path)
    assert [point["reconstruction"] for point in run.metrics("validation")] == [3.0]
    assert len(run.metrics()) == 2
    assert mean_kl(run.metrics()).tolist() == [[1, 2]]


def test_two_readers_never_see_a_half_written_run(writer):
    """run.json, log points, snapshots and codes, read by two threads while they are written."""
    ended, errors, looks = threading.Event(), [], [0, 0]
    run = Run(writer.path)

    def read(reader):
        try:
            while not ended.is_set() or looks[reader] < 3:
                assert run.info.latent_dim == 2
                steps = [point["step"] for point in run.metrics()]
                assert steps == list(range(1, len(steps) + 1))
                for step in run.snapshot_steps()[-2:]:
                    frame = run.snapshot(step)
                    assert (frame.mean == step).all()
                    assert present(frame.samples).shape == (2, 1, 8, 8)
                codes = run.codes()
                assert codes is None or len(np.unique(codes.mean)) == 1
                looks[reader] += 1
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read, args=(index,)) for index in range(2)]
    for reader in readers:
        reader.start()
    for step in range(1, 41):
        writer.set_state("running", step=step)
        writer.log(step, reconstruction=1.0, kl_per_dim=[0.1, 0.2])
        samples = np.zeros((2, 1, 8, 8), np.uint8)
        writer.snapshot(step, np.full((100, 2), step), np.zeros((100, 2)), samples=samples)
        writer.save_codes(np.full((500, 2), step))
    ended.set()
    for reader in readers:
        reader.join()
    assert errors == [] and min(looks) >= 3


# Snapshots, codes, names


def test_the_film_is_in_order_and_complete(tiny_run):
    steps = tiny_run.snapshot_steps()
    assert steps[0] == 0 and steps[-1] == 150 and steps == sorted(steps)
    frame = tiny_run.snapshot(150)
    assert frame.mean.shape == frame.logvar.shape == (200, 2)
    assert frame.labels.shape == (200,)
    assert frame.inputs.shape == frame.reconstructions.shape == frame.samples.shape == (8, 1, 8, 8)
    assert frame.samples.dtype == np.uint8


def test_a_missing_or_broken_frame_is_told(writer):
    run = Run(writer.path)
    with pytest.raises(ExplorerError, match="cannot be read|is broken"):
        run.snapshot(3)
    (run.path / "snapshots").mkdir()
    RunWriter(run.path.with_name("other"), latent_dim=2).snapshot(3, np.zeros((9, 2)))
    whole = (run.path.with_name("other") / "snapshots" / "000000003.npz").read_bytes()
    for content in (b"", b"PK\x03\x04 half", b"text", whole[:-1], whole[: len(whole) // 2]):
        (run.path / "snapshots" / "000000003.npz").write_bytes(content)
        with pytest.raises(ExplorerError, match="cannot be read|is broken"):
            run.snapshot(3)


def test_codes_are_those_of_the_test_split(tiny_run):
    codes = tiny_run.codes()
    assert codes.mean.shape == codes.logvar.shape == (300, 2)
    assert codes.labels.shape == codes.ids.shape == (300,)
    kl = 0.5 * (np.expm1(codes.logvar) - codes.logvar + codes.mean**2).mean(0)
    np.testing.assert_allclose(kl, tiny_run.info.results["test"]["kl_per_dim"], atol=0.05)


def test_the_viewer_names_a_run_in_its_own_file(writer):
    run = Run(writer.path)
    assert run.name == "run"
    run.rename("  My first  ")
    assert run.name == "My first"
    for name in ("", " ", "x" * 81):
        with pytest.raises(ExplorerError, match="1 to 80"):
            run.rename(name)
    (run.path / "viewer.json").write_text("[broken", encoding="utf-8")
    assert run.name == "run"


def test_the_fingerprint_follows_weights_codes_and_results(writer):
    run = Run(writer.path)
    seen = [run.fingerprint]
    for content in (b"a", b"bc"):
        writer.save_checkpoint(content)
        seen.append(run.fingerprint)
    # Of one size, and written within one tick of the clock, or nearly.
    for value in (0.0, 1.0, 2.0):
        writer.save_codes(np.full((5, 2), value))
        seen.append(run.fingerprint)
    writer.set_results({"test": {"elbo": -1.0}}, {})
    seen.append(run.fingerprint)
    assert len(set(seen)) == len(seen)
    writer.log(1, reconstruction=1.0)
    writer.set_state("paused", step=1)
    assert run.fingerprint == seen[-1]


def test_a_run_that_takes_anothers_place_has_another_fingerprint(tmp_path):
    seen = set()
    for _ in range(3):
        RunWriter(tmp_path / "run", latent_dim=2, overwrite=True).set_state("finished")
        seen.add(Run(tmp_path / "run").fingerprint)
    (tmp_path / "run" / "run.json").write_text("{", encoding="utf-8")
    assert len(seen | {Run(tmp_path / "run").fingerprint}) == 4


@pytest.fixture
def settled(writer, monkeypatch):
    """A run whose file counts as settled at once, as one does that was written long ago."""
    monkeypatch.setattr(run_module, "SETTLED_SECONDS", 0.0)
    return Run(writer.path)


def test_a_description_that_rests_is_parsed_once(settled, monkeypatch):
    first = settled.info
    monkeypatch.setattr(run_module, "read_json", lambda path: pytest.fail("read again"))
    assert settled.info is first and Run(settled.path).info is first


def test_a_description_is_never_older_than_its_file(settled):
    path = settled.path / "run.json"
    seen = []
    for created in (1.0, 2.0, 3.0):
        values = {**json.loads(path.read_text(encoding="utf-8")), "created": created}
        path.write_text(json.dumps(values), encoding="utf-8")
        if os.name != "nt":  # Of one size and, to all appearance, of one time.
            os.utime(path, (10, 10))
        seen.append(settled.info.created)
        time.sleep(0.02)
    assert seen == [1.0, 2.0, 3.0]
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ExplorerError):
        _ = settled.info


def test_a_description_written_just_now_is_read_each_time(writer):
    run, path = Run(writer.path), writer.path / "run.json"
    assert run.info is not run.info
    old = time.time() - 2 * run_module.SETTLED_SECONDS
    os.utime(path, (old, old))
    assert run.info is not run.info, "its own times can be set; when it was changed cannot"


@pytest.mark.parametrize("name", ["x" * 81, 3, None, "\ud800", ["a"], ""])
def test_a_name_that_cannot_be_shown_is_none(writer, name):
    (writer.path / "viewer.json").write_text(json.dumps({"name": name}), encoding="utf-8")
    assert Run(writer.path).name == "run"


# Ids


@pytest.mark.parametrize(
    "run_id",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc",
        "a/../b",
        "a/b/c",
        "a\\b",
        "a\n",
        "_a",
        "a b",
        "a\u202eb",
        "\ud800",
    ],
)
def test_an_id_is_no_path(run_id):
    assert not RUN_ID.fullmatch(run_id)


@pytest.mark.parametrize("run_id", ["vae", "sweep/beta-0.5", "我的訓練", "прогон_2", "été/β-4"])
def test_an_id_is_written_in_any_script(run_id):
    assert RUN_ID.fullmatch(run_id)


def test_new_ids_are_ids_and_differ():
    ids = {new_run_id("mnist 2/3", "β=4", "x" * 200) for _ in range(20)}
    assert len(ids) == 20 and all(RUN_ID.fullmatch(run_id) for run_id in ids)
