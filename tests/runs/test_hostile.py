"""One bad file never breaks a reader: whatever is in a run's files, only ExplorerErrors come out.

What does come out is fit to be drawn: each page's figures are made of it.
"""

import json
import shutil

import numpy as np
import pytest

from explorer.analysis.collapse.moved_beta import find_beta
from explorer.analysis.collapse.timeline import find_events
from explorer.codes import main_dimensions
from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.export.container import pack
from explorer.export.payload import describe_codes, describe_figures
from explorer.export.timeline import build_timeline
from explorer.figures.latent import latent_scatter
from explorer.figures.palette import choose_roles
from explorer.figures.pictures import encode_png, picture_sheet
from explorer.figures.training import elbo_curves, kl_over_time
from explorer.runs.control import Control
from explorer.runs.run import Run, mean_kl
from explorer.runs.store import RunStore, find_run, list_runs
from explorer.runs.sweeps import list_sweeps, prepare_sweep
from tests.helpers import present
from tests.runs.hostile import change_bytes, change_values, damage, make_run, write_json

ROLES = choose_roles(False)
ROUNDS, VARIANTS = 8, 60
"""Together 480 damaged runs, of which `make test` reads the first SHORT rounds."""
SHORT = 1


def read_info(run):
    info = run.info
    assert info.status.shown_state() and isinstance(info.status.is_alive(), bool)
    json.dumps(describe_figures(run), allow_nan=False)
    for split in info.results.values():
        f"{split.get('elbo', 0):.2f} {split.get('kl', 0):.2f} {split.get('reconstruction', 0):.2f}"
    beta = find_beta(run)
    assert beta is None or f"{beta.now:g}"


def read_log(run):
    points = run.metrics("train")
    assert [point["step"] for point in points] == sorted(point["step"] for point in points)
    assert mean_kl(points).dtype == np.float64
    rows = [point for point in points if "kl_per_dim" in point]
    return points, find_events([p["step"] for p in rows], [p["kl_per_dim"] for p in rows])


def read_film(run):
    return [run.snapshot(step) for step in run.snapshot_steps()]


def read_codes(run):
    pack(describe_codes(run, half=False))
    return run.codes()


def draw_log(run):
    points, _ = read_log(run)
    elbo_curves(points, run.metrics("validation"), ROLES, 225)
    kl_over_time(points, ROLES, 225)
    json.dumps(build_timeline(points), allow_nan=False)


def draw_frame(run):
    frame = read_film(run)[-1]
    draw_codes(run, frame)
    pair = [pictures for pictures in (frame.inputs, frame.reconstructions) if pictures is not None]
    if pair:
        encode_png(picture_sheet(np.concatenate(pair), len(pair[0])))


def draw_codes(run, codes=None):
    codes = codes or run.codes()
    if codes is not None:
        names = run.info.dataset.class_names if run.info.dataset else ()
        axes = main_dimensions(codes.mean, codes.logvar)
        latent_scatter(codes.mean, codes.labels, names, ROLES, axes=axes)


READERS = (
    read_info,
    read_log,
    read_film,
    read_codes,
    lambda run: run.fingerprint,
    lambda run: run.name.encode(),
    lambda run: [Control(run.path).latest(action) for action in ("beta", "stop")],
)
DRAWERS = {
    "run.json": draw_codes,
    "metrics.jsonl": draw_log,
    "snapshots/000000003.npz": draw_frame,
    "codes.npz": draw_codes,
}
"""What is drawn of a file that was damaged."""


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("good") / "good")


def expect_a_sentence(error):
    message = str(error)
    assert message and len(message) <= 1000 and message.endswith("."), message


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # Of codes that are NaN.
@pytest.mark.parametrize(
    "seed",
    [*range(SHORT), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(SHORT, ROUNDS))],
)
def test_whatever_is_in_a_runs_files_only_sentences_come_out(good, tmp_path, seed):
    rng, store = np.random.default_rng(seed), RunStore(tmp_path)
    listed = unreadable = 0
    for _ in range(VARIANTS):
        shutil.rmtree(tmp_path / "bad", ignore_errors=True)
        shutil.copytree(good.path, tmp_path / "bad")
        damaged = damage(Run(tmp_path / "bad"), rng)
        runs, refused = store.survey()
        assert len(runs) + len(refused) == 1
        listed, unreadable = listed + len(runs), unreadable + len(refused)
        for entry in refused:
            expect_a_sentence(entry.reason)
        run = find_run("bad", [store])
        for read in (*READERS, DRAWERS.get(damaged, read_info)):
            try:
                read(run)
            except ExplorerError as error:
                expect_a_sentence(error)
    assert min(listed, unreadable) > VARIANTS / 10
    store.delete("bad")
    assert store.survey() == ([], [])


def test_a_good_run_is_read_without_an_error(good):
    """Else the test above would say nothing."""
    for read in (*READERS, *DRAWERS.values()):
        read(good)
    assert len(good.metrics()) == 6 and len(good.snapshot_steps()) == 3
    assert present(Control(good.path).latest("beta")).value == 2.0


def test_a_bad_run_hides_no_good_one(good, tmp_path):
    shutil.copytree(good.path, tmp_path / "good")
    for number, content in enumerate(
        [b"", b'{"schema": 3}', b'{"schema": 1, "created": null}', b"[" * 10_000]
    ):
        (tmp_path / f"bad-{number}").mkdir()
        (tmp_path / f"bad-{number}" / "run.json").write_bytes(content)
    store = RunStore(tmp_path)
    assert [run.id for run in list_runs(stores=[store])] == ["good"]
    told = {entry.id: (entry.reason.code, entry.reason.detail) for entry in store.survey()[1]}
    assert told == {
        "bad-0": ("broken", ""),
        "bad-1": ("version", "3"),
        "bad-2": ("part", "config"),
        "bad-3": ("broken", ""),
    }


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_sweep_hides_no_good_one(tmp_path, seed):
    rng = np.random.default_rng(seed)
    configs = {f"seed-{seed}": Config(seed=seed) for seed in range(2)}
    prepare_sweep(tmp_path / "good", "sweep", configs)
    prepare_sweep(tmp_path / "bad", "sweep", configs)
    whole = (tmp_path / "bad" / "sweep.json").read_bytes()
    for _ in range(40):
        content = write_json(change_values(json.loads(whole), rng))
        (tmp_path / "bad" / "sweep.json").write_bytes(
            content if rng.random() < 0.8 else change_bytes(whole, rng)
        )
        found = list_sweeps(tmp_path)
        assert "good" in {sweep.id for sweep in found} <= {"good", "bad"}
        for sweep in found:
            assert sweep.grid == {"seed": [0, 1]} or sweep.id == "bad"
            sweep.is_active(sweep.progress())
