"""Runs to take along: one HTML file, tables, members of a sweep, and what the server answers."""

import base64
import dataclasses
import hashlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from explorer.browser import ASSETS
from explorer.datasets import load_dataset
from explorer.errors import ExplorerError
from explorer.export import answers, pictures, tsne
from explorer.export.bundle import WORKER_ENTRY, bundle_modules
from explorer.export.container import unpack
from explorer.export.page import MAX_PAGE_BYTES, build_page
from explorer.export.payload import pick_pictures
from explorer.export.sweep import build_member, find_siblings, reorder_model
from explorer.export.tables import codes_parquet, codes_table
from explorer.runs.info import DatasetInfo
from explorer.runs.store import find_run
from explorer.text import catalogue, sentences
from tests.export.test_payload import make_run
from tests.helpers import present


def test_a_page_carries_its_workers_script() -> None:
    page = build_page(make_run("mlp"), None, {}).decode()
    assert f'<script type="text/plain" id="worker">\n{bundle_modules(WORKER_ENTRY)}' in page


def test_page_carries_payload_scene_and_nothing_from_elsewhere() -> None:
    page = build_page(make_run("mlp"), None, {"input": "<Input>"}, 'z=1,2"><script>')
    text = page.decode()
    assert len(page) < MAX_PAGE_BYTES
    stored = re.search(r'id="payload">([\w+/=]+)</script>', text)
    assert stored and unpack(base64.b64decode(stored.group(1)))["text"] == {"input": "<Input>"}
    assert 'data-scene="z=1,2&quot;&gt;&lt;script&gt;"' in text
    assert "http://" not in text and "https://" not in text and "src=" not in text


def test_a_page_runs_its_own_script_and_loads_nothing() -> None:
    page = build_page(make_run("mlp"), None, {}).decode()
    policy = page.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    script = page.rsplit("<script>", 1)[1].rsplit("</script>", 1)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}' blob:;" in policy
    assert policy.startswith("default-src 'none'") and "unsafe-inline'; img" in policy
    assert page.index("Content-Security-Policy") < page.index("<title>")


def test_page_says_which_language_it_speaks() -> None:
    page = build_page(make_run("mlp"), None, {}, language="zh-Hant").decode()
    assert '<html lang="zh-Hant">' in page
    stored = re.search(r'id="payload">([\w+/=]+)</script>', page)
    assert stored and unpack(base64.b64decode(stored.group(1)))["language"] == "zh-Hant"


def stored_header(page: bytes) -> Any:
    stored = re.search(r'id="payload">([\w+/=]+)</script>', page.decode())
    return unpack(base64.b64decode(present(stored).group(1)))


def test_page_of_a_model_too_large_for_it_carries_decoded_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("explorer.export.payload.MAX_BROWSER_WEIGHTS", 10)
    run = make_run("conv")
    images = np.zeros((5, *run.model.shape), np.uint8)
    header = stored_header(build_page(run, pick_pictures(images, None, np.arange(5), "test"), {}))
    assert header["networks"] is None and header["atlas"]["mean"].shape == (5, 3)
    assert header["atlas"]["sheet"]["count"] == len(header["atlas"]["points"])


def test_networks_beyond_the_size_of_a_page_become_decoded_pictures_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = make_run("mlp")
    run.model.encoder.insert(1, torch.nn.Linear(64, 4096))
    run.model.encoder.insert(2, torch.nn.Linear(4096, 64))
    whole = len(build_page(run, None, {}))
    monkeypatch.setattr("explorer.export.page.MAX_PAGE_BYTES", whole - 500_000)
    header = stored_header(build_page(run, None, {}))
    assert header["networks"] is None and header["atlas"] is not None
    monkeypatch.setattr("explorer.export.page.MAX_PAGE_BYTES", 1000)
    with pytest.raises(ExplorerError, match="too large"):
        build_page(run, None, {})


def test_coloured_pictures_are_packed_and_grey_ones_are_not() -> None:
    run = make_run("conv")
    images = np.zeros((5, *run.model.shape), np.uint8)
    header = stored_header(build_page(run, pick_pictures(images, None, np.arange(5), "test"), {}))
    assert header["pictures"]["pixels"] is None and header["pictures"]["sheet"]["count"] == 5
    run = make_run("mlp")
    images = np.zeros((5, *run.model.shape), np.uint8)
    header = stored_header(build_page(run, pick_pictures(images, None, np.arange(5), "test"), {}))
    assert (
        header["pictures"]["sheet"] is None and header["pictures"]["pixels"].shape == images.shape
    )


def test_page_leaves_out_codes_rather_than_growing(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run("mlp")
    codes = run.codes()
    many = SimpleNamespace(
        mean=np.random.default_rng(0).normal(size=(60_000, 3)).astype(np.float32),
        logvar=None,
        labels=None,
        ids=np.arange(60_000),
    )
    run.codes = lambda: many
    monkeypatch.setattr("explorer.export.page.MAX_PAGE_BYTES", 480_000)
    page = build_page(run, None, {})
    assert len(page) <= 480_000 and codes is not many


def test_every_sentence_that_the_browser_asks_for_is_in_the_catalogue() -> None:
    known = set(sentences("en", "explore."))
    asked: set[str] = set()
    for path in (ASSETS / "map").rglob("*.js"):
        source = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r'\b(?:text|notify)\("(\w+)"', source))
        asked |= set(re.findall(r'\b(?:text|notify)\([^"()]*\? "(\w+)" : "\w+"', source))
        asked |= set(re.findall(r'\b(?:text|notify)\([^"()]*\? "\w+" : "(\w+)"', source))
    assert asked - known == set()
    assert len(asked) > 80


def test_every_sentence_of_the_page_is_used() -> None:
    modules = [*(ASSETS / "map").rglob("*.js"), ASSETS / "shared" / "bars.js"]
    source = "".join(path.read_text(encoding="utf-8") for path in modules)
    view = (ASSETS.parent / "app" / "views" / "explore.py").read_text(encoding="utf-8")
    stems = set(re.findall(r"`(\w+_)\$\{", source))
    for key in sentences("en", "explore."):
        found = f'"{key}"' in source or f"explore.{key}" in view or key.startswith("group_")
        suffix = key.removesuffix("_help").removesuffix("_title")
        assert found or any(suffix.startswith(stem) for stem in stems), key


def test_catalogue_has_no_empty_sentence() -> None:
    assert all(value.strip() for value in catalogue().values())


def test_table_has_ids_classes_means_and_logvars() -> None:
    run = make_run("mlp")
    table = codes_table(run, ids=[103, 101, 999])
    assert list(table["id"]) == [101, 103] and table["class"] == ["1", "3"]
    assert np.allclose(table["mean_3"], run.codes().mean[[1, 3], 2])
    assert "logvar_3" in table and "logvar_1" not in codes_table(make_run("point"))


def test_parquet_is_read_back() -> None:
    from pyarrow import parquet

    run = make_run("mlp")
    table = parquet.read_table(io.BytesIO(codes_parquet(run)))
    assert table.num_rows == 20 and table["id"][0].as_py() == 100


@pytest.mark.parametrize("name", ["mlp", "conv", "linear"])
def test_reordered_model_is_the_same_model(name: str) -> None:
    model = make_run(name).model
    order, sign = np.array([2, 0, 1]), np.array([-1, 1, -1], np.float32)
    encoder, decoder = reorder_model(model, order, sign)
    x = torch.rand(4, *model.shape)
    with torch.no_grad():
        mean, raw = model.encoder(x).chunk(2, dim=1)
        moved_mean, moved_raw = encoder(x).chunk(2, dim=1)
        assert torch.allclose(moved_mean, mean[:, order] * torch.from_numpy(sign), atol=1e-6)
        assert torch.allclose(moved_raw, raw[:, order], atol=1e-6)
        assert torch.allclose(decoder(moved_mean), model.decoder(mean), atol=1e-5)


def as_member(name: str, beta: float, latent_kind: str = "gaussian"):
    run = make_run("mlp")
    network = SimpleNamespace(
        latent_dim=3, latent=latent_kind, likelihood="bernoulli", binarise=True, prior="standard",
        skip=False, mean_norm=0.0, posterior_cap=1.0,
    )  # fmt: skip
    network.hidden = (16,)
    config = SimpleNamespace(model=network, objective=SimpleNamespace(beta=beta))
    run.id, run.fingerprint = name, name
    model = dataclasses.replace(run.info.model, latent_kind=latent_kind)
    run.info = dataclasses.replace(run.info, config=config, model=model)
    run.path = SimpleNamespace(__class__=Path)
    return run


def test_siblings_differ_in_beta_alone(tmp_path: Path) -> None:
    runs = [as_member(f"s/{beta}", beta) for beta in (1.0, 4.0, 0.5)]
    twin, other = as_member("t/4", 4.0), as_member("u", 2.0)
    other.info.config.model.latent_dim = 4
    for name in ("codes.npz", "checkpoint.safetensors"):
        (tmp_path / name).touch()
    for run in (*runs, twin, other):
        run.path = tmp_path
    found = find_siblings(runs[0], [twin, other, *runs])
    assert [run.id for run in found] == ["s/0.5", "s/1.0", "s/4.0"]
    assert find_siblings(runs[0], [other]) == []


def test_a_sweep_of_another_network_stands_in(tmp_path: Path) -> None:
    single = as_member("single", 1.0)
    sweep = [as_member(f"s/{beta}", beta) for beta in (1.0, 4.0)]
    lone = as_member("lone", 9.0)
    for name in ("codes.npz", "checkpoint.safetensors"):
        (tmp_path / name).touch()
    for run in (*sweep, lone, single):
        run.path = tmp_path
    for run in (*sweep, lone):
        run.info.config.model.hidden = (8,)
    assert [run.id for run in find_siblings(single, [*sweep, lone])] == ["single", "s/4.0"]


def test_member_is_matched_to_its_reference() -> None:
    import dataclasses

    from explorer.codes import Codes

    reference, member = as_member("a", 1.0), as_member("b", 2.0)
    plain = reference.codes()
    kept = Codes(plain.mean, plain.logvar, plain.labels, plain.ids)
    reference.codes = lambda: kept
    flipped = dataclasses.replace(
        kept, mean=kept.mean[:, [1, 0, 2]] * np.array([-1, 1, 1], np.float32)
    )
    member.codes = lambda: flipped
    known = {"side": np.arange(200) / 2}
    header = unpack(build_member(member, reference, known))
    (side,) = header["codes"]["factors"]
    assert side["name"] == "side" and side["values"].tolist() == (kept.ids / 2).tolist()
    assert unpack(build_member(member, reference))["codes"]["factors"] == []
    assert header["moved"] and header["of"] == "a" and header["figures"]["beta"] == 2.0
    assert np.allclose(header["codes"]["mean"], kept.mean, atol=1e-6)


def test_server_decodes_and_encodes_what_is_asked() -> None:
    model = make_run("gaussian-pixel").model
    request = {"z": [0.1, 0.2, 0.3], "mode": "mean", "seed": 1, "number": 7}
    found = answers.answer_decode(model, request)
    assert found is not None and found["number"] == 7
    levels = np.frombuffer(base64.b64decode(found["picture"]), np.uint8) / 255 * found["top"]
    with torch.no_grad():
        mean = model.decode(torch.tensor([[0.1, 0.2, 0.3]])).mean.flatten().numpy()
    assert np.abs(levels - mean.clip(0, None)).max() < found["top"] / 255
    sample = [
        answers.answer_decode(model, {**request, "mode": "sample", "seed": s}) for s in (1, 1, 2)
    ]
    assert sample[0] == sample[1] != sample[2]
    pixels = base64.b64encode(bytes(range(64))).decode()
    code = answers.answer_encode(model, {"x": pixels, "number": 3})
    assert code is not None and len(code["mean"]) == 3
    json.dumps([found, code])


def test_server_decodes_many_points_at_once() -> None:
    model = make_run("conv").model
    points = torch.randn(5, 3, generator=torch.Generator().manual_seed(2))
    found = answers.answer_batch(model, {"points": points.tolist(), "number": 4})
    assert found is not None and found["number"] == 4
    levels = np.frombuffer(base64.b64decode(found["picture"]), np.uint8) / 255 * found["top"]
    with torch.no_grad():
        mean = model.decode(points).mean.flatten().numpy()
    assert np.abs(levels - mean.clip(0, None)).max() < found["top"] / 255
    crowd = {"points": [[0.0] * 3] * (answers.MAX_BATCH + 1), "number": 5}
    assert answers.answer_batch(model, crowd) is None


@pytest.mark.parametrize(
    "request_",
    [
        None,
        {},
        {"z": [1], "number": 1, "seed": 1},
        {"z": "abc", "number": 1, "seed": 1},
        {"z": [float("nan")] * 3, "number": 1, "seed": 1},
        {"x": "!!", "number": 1},
        {"z": [0.0] * 3, "number": float("inf"), "seed": 1},
        {"points": [[1, 2]], "number": 1},
        {"points": [[1, 2, 3], [1]], "number": 1},
    ],
)
def test_broken_requests_are_left_unanswered(request_) -> None:
    model = make_run("mlp").model
    assert answers.answer_decode(model, request_) is None
    assert answers.answer_encode(model, request_) is None
    assert answers.answer_batch(model, request_) is None


def test_tsne_is_computed_in_a_process_and_kept() -> None:
    rng = np.random.default_rng(0)
    mean = np.concatenate([rng.normal(i * 8, 1, (30, 5)) for i in range(2)]).astype(np.float32)
    projection = tsne.Projection("one", mean)
    assert projection.result() is None and not projection.failed()
    projection.start()
    assert projection.process is not None and 0 <= projection.percent() < 100
    assert projection.process.wait(120) == 0
    plane = projection.result()
    assert plane is not None and plane.shape == (60, 2) and np.isfinite(plane).all()
    gap = np.linalg.norm(plane[:30].mean(0) - plane[30:].mean(0))
    assert gap > plane[:30].std(), "the groups lie apart"
    again = tsne.Projection("one", mean)
    again.start()
    assert again.process is None, "kept"


@pytest.fixture
def projections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """A queue whose processes only wait until they are ended; `ask(name, owner)` comes with one."""
    monkeypatch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path))
    waiting = [sys.executable, "-c", "input()"]
    begun: list[subprocess.Popen[bytes]] = []

    def start(self: tsne.Projection) -> None:
        self.path.parent.mkdir(exist_ok=True)
        self.process = subprocess.Popen(waiting, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        begun.append(self.process)

    monkeypatch.setattr(tsne.Projection, "start", start)
    queue = tsne.ProjectionQueue(limit=2)

    def ask(name: str, owner: str) -> tuple[tsne.Projection, bool]:
        projection = queue.find(name, np.zeros((20, 3)))
        return projection, queue.start(projection, owner)

    yield ask
    for process in begun:
        process.kill()
        process.communicate()


def test_a_visitor_has_one_tsne_at_a_time_and_the_server_a_few(projections) -> None:
    first, begun = projections("one", "ann")
    assert begun and first.is_running()
    assert projections("one", "ann") == projections("one", "ben") == (first, True), "the same one"
    assert not projections("two", "ann")[1], "ann waits for her first"
    second, begun = projections("two", "ben")
    assert begun and not projections("three", "eve")[1], "two are all that the server makes"
    first.process.kill()
    first.process.wait()
    assert projections("three", "eve")[1] and second.is_running()


def test_a_tsne_that_failed_is_told_and_not_begun_again(projections) -> None:
    first, _ = projections("one", "ann")
    first.process.kill()
    first.process.wait()
    assert projections("two", "ann")[1]
    assert projections("one", "ann") == (first, True) and first.failed()


def test_one_seed_gives_one_tsne_and_says_how_far_it_is() -> None:
    mean = np.random.default_rng(0).normal(0, 1, (40, 4))
    heard: list[float] = []
    plane = tsne.project(mean, seed=3, report=heard.append)
    assert heard == sorted(heard) and heard[0] < 0.1 and heard[-1] == 1
    assert np.array_equal(plane, tsne.project(mean, seed=3))
    assert not np.array_equal(plane, tsne.project(mean, seed=4))


def test_pictures_are_those_of_the_codes(tiny_run) -> None:
    found = pictures.find_pictures(tiny_run, load_dataset("digits"))
    codes = tiny_run.codes()
    assert found is not None and found.source == "test"
    assert found.ids.tolist() == codes.ids[: len(found.ids)].tolist()
    assert present(found.labels).tolist() == codes.labels[: len(found.ids)].tolist()


def test_models_of_handwriting_without_their_images_get_sample_drawings() -> None:
    known = DatasetInfo("kmnist", (1, 28, 28))
    run = SimpleNamespace(info=SimpleNamespace(dataset=known), codes=lambda: None)
    found = pictures.find_pictures(run, None)
    assert found is not None and found.source == "sample" and not found.credit
    assert present(found.labels)[:10].tolist() == list(range(10)) and (found.ids < 0).all()
    run.info.dataset = DatasetInfo("fashion-mnist", (1, 28, 28))
    assert pictures.find_pictures(run, None) is None


def test_models_of_mnist_have_real_digits_everywhere_and_pages_say_whose() -> None:
    run = find_run("mnist-2d")
    found = present(pictures.find_pictures(run, None))
    assert found.source == "test" and len(found.images) == 200
    codes = present(run.codes())
    labels = dict(zip(codes.ids, present(codes.labels), strict=True))
    assert [labels[identity] for identity in found.ids] == present(found.labels).tolist()
    page = build_page(run, found, {}).decode()
    assert "<footer" in page and found.credit in page
    assert all(word in found.credit for word in ("LeCun", "Cortes", "CC BY-SA 3.0", "NIST"))
    assert "<footer" not in build_page(make_run("mlp"), None, {}).decode()


@pytest.mark.mnist
def test_a_pictures_place_is_the_same_with_and_without_mnist(mnist_root) -> None:
    run = find_run("mnist-20d")
    few = present(pictures.find_pictures(run, None))
    many = present(pictures.find_pictures(run, load_dataset("mnist", data_root=mnist_root)))
    assert np.array_equal(many.images[:200], few.images)
    assert np.array_equal(many.ids[:200], few.ids)
    assert len(set(many.ids.tolist())) == len(many.ids) > 2000
