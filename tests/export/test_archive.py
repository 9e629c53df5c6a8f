"""A run as a zip file: unpacked elsewhere it is the same run."""

import io
import zipfile

from explorer.export.archive import zip_run, zip_runs
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter


def test_an_unpacked_run_opens(tmp_path):
    with RunWriter(tmp_path / "mine", latent_dim=2) as writer:
        writer.log(1, reconstruction=1.0, kl_per_dim=[0.5, 0.0])
        writer.snapshot(1, [[0.0, 1.0]])
    (tmp_path / "mine" / ".control.lock").touch()
    with zipfile.ZipFile(io.BytesIO(zip_run(Run(tmp_path / "mine")))) as archive:
        assert not any(".control" in name for name in archive.namelist())
        archive.extractall(tmp_path / "there")
    run = Run(tmp_path / "there" / "mine")
    assert run.info.status.state == "finished" and run.snapshot_steps() == [1]
    assert run.metrics() == Run(tmp_path / "mine").metrics()


def test_links_that_lead_out_of_the_run_are_left_out(tmp_path):
    with RunWriter(tmp_path / "mine", latent_dim=2) as writer:
        writer.snapshot(1, [[0.0, 1.0]])
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.txt").write_text("of somebody else", encoding="utf-8")
    (tmp_path / "mine" / "key.txt").symlink_to(tmp_path / "secret" / "key.txt")
    (tmp_path / "mine" / "all").symlink_to(tmp_path / "secret")
    with zipfile.ZipFile(io.BytesIO(zip_run(Run(tmp_path / "mine")))) as archive:
        names = archive.namelist()
    assert "mine/run.json" in names and not any("key" in name for name in names)


def test_a_run_that_is_reached_by_a_link_is_whole(tmp_path):
    with RunWriter(tmp_path / "disk" / "mine", latent_dim=2) as writer:
        writer.snapshot(1, [[0.0, 1.0]])
    (tmp_path / "mine").symlink_to(tmp_path / "disk" / "mine")
    with zipfile.ZipFile(io.BytesIO(zip_run(Run(tmp_path / "mine")))) as archive:
        assert {"mine/run.json", "mine/snapshots/000000001.npz"} <= set(archive.namelist())


def test_several_runs_go_into_one_file_each_in_its_folder(tmp_path):
    for name in ("a", "family/b"):
        with RunWriter(tmp_path / name, latent_dim=2) as writer:
            writer.snapshot(1, [[0.0, 1.0]])
    runs = [Run(tmp_path / name, name) for name in ("a", "family/b")]
    with zipfile.ZipFile(io.BytesIO(zip_runs(runs))) as archive:
        archive.extractall(tmp_path / "there")
    for run in runs:
        assert Run(tmp_path / "there" / run.id).snapshot_steps() == [1]
