"""Runs to take along: one HTML file, and the tables and pictures that go with it."""

import base64
import hashlib
import io
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from explorer.browser import ASSETS
from explorer.datasets import load_dataset
from explorer.errors import ExplorerError
from explorer.export import pictures
from explorer.export.bundle import WORKER_ENTRY, bundle_modules
from explorer.export.container import unpack
from explorer.export.page import MAX_PAGE_BYTES, build_page
from explorer.export.payload import pick_pictures
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
