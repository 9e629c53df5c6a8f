"""A site: whole without a server, small before a model is opened, in every language asked for."""

import json
import re
from html.parser import HTMLParser
from pathlib import PurePosixPath

import pytest

from explorer.cli import main
from explorer.errors import ExplorerError
from explorer.export.site.build import build_site
from explorer.export.site.shells import Place
from explorer.library import Library
from explorer.runs.store import open_run

LANGUAGES = ("en", "zh-Hant")


@pytest.fixture(scope="module")
def site():
    runs = [open_run("strokes-vae-2d"), open_run("mnist-vq")]
    return build_site(runs, Library(), languages=LANGUAGES, lenses=1, learn=["collapse"])


class Links(HTMLParser):
    """Every address that a page names."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src", "data-source", "data-members", "data-scripts") and value:
                self.found += value.split()


def links_of(content):
    parser = Links()
    parser.feed(content.decode())
    return [link for link in parser.found if not link.startswith(("data:", "#"))]


def resolve(page, link):
    parts: list[str] = []
    for part in (PurePosixPath(page).parent / link).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def test_every_link_is_relative_and_leads_to_a_file(site):
    pages = [path for path in site.files if path.endswith(".html")]
    assert len(pages) == len(LANGUAGES) * 5  # the start, a map, a lens, a report, a chapter
    for page in pages:
        for link in links_of(site.files[page]):
            assert "://" not in link and not link.startswith("/"), (page, link)
            assert resolve(page, link) in site.files, (page, link)


def test_a_visitor_who_opens_nothing_loads_little(site):
    shared = sum(
        len(content)
        for path, content in site.files.items()
        if path.startswith("assets/") and path.endswith((".js", ".css"))
    )
    assert shared < 1_000_000
    page = site.files["index.html"]
    first = len(page) + sum(
        len(site.files[resolve("index.html", link)])
        for link in links_of(page)
        if not link.endswith(".html")
    )
    assert first < 300_000
    assert max(len(c) for p, c in site.files.items() if p.startswith("data/")) <= 4_000_000


def test_models_lie_there_once_and_words_once_a_language(site):
    assert len([path for path in site.files if re.fullmatch(r"data/strokes-vae-2d\.js", path)]) == 1
    words = site.files["assets/words-explore.zh-Hant.js"].decode()
    found = json.loads(words.removeprefix("globalThis.latentText = ").rstrip(";\n"))
    assert "iframe" in found["iframe"] and found["copied"] != "Copied"


def test_what_a_run_cannot_give_is_named_and_the_rest_is_made(site):
    assert [line.partition(":")[0] for line in site.left_out] == [
        "mnist-vq, report",
        "mnist-vq, map",
    ]
    assert not any("mnist-vq" in path for path in site.files)
    assert "models/strokes-vae-2d/consultation.html" in site.files


def test_pages_run_scripts_of_the_site_alone(site):
    for path, content in site.files.items():
        if path.endswith(".html"):
            assert b"Content-Security-Policy" in content and b"default-src 'none'" in content


def test_credit_goes_with_the_images_and_stands_once_on_the_start_page():
    site = build_site([open_run("mnist-2d")], Library())
    assert site.files["index.html"].count(b"CC BY-SA") == 1
    assert b"CC BY-SA" in site.files["models/mnist-2d/index.html"]


def test_a_sweep_is_one_page_with_all_its_models():
    site = build_site([], Library(), sweeps=["mnist-beta-sweep"])
    page = site.files["sweeps/mnist-beta-sweep/index.html"]
    assert len([link for link in links_of(page) if "/data/" in link]) == 13


def test_a_site_of_learn_alone_carries_no_map():
    site = build_site([], Library(), learn=["notation"])
    assert not {"assets/explore.js", "assets/worker.js"} & set(site.files)
    for page in ("index.html", "learn/notation.html"):
        assert all(resolve(page, link) in site.files for link in links_of(site.files[page]))


def test_places_know_their_way_home():
    assert Place("en", "models/a/index.html", True).top == "../../"
    inner = Place("zh-Hans", "models/a/index.html", False)
    assert (inner.file, inner.top, inner.home) == (
        "zh-Hans/models/a/index.html",
        "../../../",
        "../../",
    )


def test_an_unknown_sweep_and_too_many_lenses_are_one_sentence():
    with pytest.raises(ExplorerError, match=r"no sweep 'none'.*mnist-beta-sweep"):
        build_site([], Library(), sweeps=["none"])
    with pytest.raises(ExplorerError, match="between 0 and 40"):
        build_site([], Library(), lenses=41)
    with pytest.raises(ExplorerError, match="nothing to show"):
        build_site([], Library())


def test_the_command_writes_it_and_a_full_folder_is_kept(tmp_path, capsys):
    out = tmp_path / "site"
    assert main(["site", "digits-2d", "--out", str(out), "--title", "A & B", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["files"] == sum(path.is_file() for path in out.rglob("*"))
    assert "A &amp; B" in (out / "index.html").read_text("utf-8")
    assert main(["site", "digits-2d", "--out", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err
