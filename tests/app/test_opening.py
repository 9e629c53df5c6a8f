"""The first frame: each page's document says what it is about, and calls what it will need."""

import gzip
import re
from pathlib import Path

import pytest
from streamlit import file_util

from explorer.app import opening
from explorer.app.offers import Offers
from explorer.app.opening import Opening, find_elements
from explorer.app.parts import mount
from explorer.app.parts.lede import LEDES, SKELETONS
from explorer.export.container import pack
from explorer.text import LANGUAGES, say

APP = Path(opening.__file__).parent
STATIC = Path(file_util.get_static_dir())


async def nowhere(scope, receive, send) -> None:
    """Stand for Streamlit: what comes here was not answered."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATENT_EXPLORER_CACHE", str(tmp_path_factory.mktemp("cache")))
        mount.find_scripts.cache_clear()
        yield Opening(nowhere, STATIC)
    mount.find_scripts.cache_clear()


@pytest.fixture
def offers(served, monkeypatch):
    made = Offers()
    made.is_open = True
    monkeypatch.setattr(served, "offers", made)
    return made


def ask(served: Opening, path: str, query: str = "", method: str = "GET", **headers: str):
    packed = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    return served.answer(
        {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": packed,
        }
    )


def read(response) -> str:
    assert response is not None
    return bytes(response.body).decode()


@pytest.mark.parametrize("base", ["", "/user/ada/vae"])
def test_explore_opens_by_its_name_too_with_all_that_its_address_asks_for(served, base):
    below = Opening(nowhere, STATIC, base)
    for path in ("/explore", "/explore/"):
        answer = ask(below, base + path, "model=mnist-2d&z=1,2")
        assert answer is not None and answer.status_code == 307
        assert answer.headers["location"] == f"{base}/?model=mnist-2d&z=1,2"
    answer = ask(below, f"{base}/explore")
    assert answer is not None and answer.headers["location"] == f"{base}/"
    assert ask(below, f"{base}/explore/map") is None


def test_every_page_opens_with_the_sentence_that_it_shows_itself():
    addresses = re.findall(
        r'"views/([\w/]+)\.py".*?(?:url_path="(\w+)"|default=True)',
        (APP / "main.py").read_text(encoding="utf-8"),
    )
    shown = {
        address: re.findall(r'show_lede\("([\w.]+)"', path.read_text(encoding="utf-8"))
        for view, address in addresses
        for path in [APP / "views" / f"{view}.py"]
    }
    # Where a page knows more of what is chosen, it may open with another one then.
    assert shown.keys() == LEDES.keys() and all(LEDES[page] in keys for page, keys in shown.items())


@pytest.mark.parametrize("page", LEDES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_is_streamlits_with_the_pages_sentence(served, page, language):
    document = read(ask(served, f"/{page}", f"model=x&lang={language}"))
    assert f'<html lang="{language}">' in document
    frame = document.split("<body>")[1].split('<script type="module" async>')[0]
    assert f'<p class="explorer-lede">{say(language, LEDES[page])}</p>' in frame
    assert ("explorer-skeleton" in frame) == (page in SKELETONS)
    script = re.search(r'<script type="module" crossorigin src="(.+?)">', document)
    assert script and (STATIC / script.group(1)).is_file()


@pytest.mark.parametrize("page", LEDES)
def test_a_page_tells_where_the_server_is_before_streamlit_looks_for_it(served, page):
    before, _, _ = read(ask(served, f"/{page}")).partition('<script type="module" crossorigin')
    assert ("BACKEND_BASE_URL" in before) == (page != ""), "the first page lies there itself"


def test_the_browsers_language_holds_where_the_address_names_none(served):
    for query in ("", "lang=tlh"):
        document = read(ask(served, "/", query, accept_language="zh-TW,zh;q=0.9"))
        assert '<html lang="zh-Hant">' in document
    assert ask(served, "/").headers["vary"] == "accept-language"


def test_the_document_calls_what_is_there_and_what_streamlit_will_ask_for(served):
    document = read(ask(served, "/"))
    called = re.findall(r'<link rel="modulepreload"[^>]* href="\./(.+?)"', document)
    assert len(called) == len(set(called))
    *elements, script = called
    assert all((STATIC / name).is_file() for name in elements)
    assert any("BidiComponent." in name for name in elements)
    response = ask(served, f"/{script}", accept_encoding="gzip, br")
    assert "immutable" in response.headers["cache-control"]
    source = gzip.decompress(response.body).decode()
    assert source.endswith('export default modules["map/main.js"].default;\n')
    assert script.startswith("_stcore/bidi-components/latent-explorer.latent_map/")
    assert "bidi-components" not in read(ask(served, "/train"))
    assert "latent-explorer.lens/" in read(ask(served, "/elbo"))
    assert "PlotlyChart." in read(ask(served, "/models")) and "PlotlyChart." not in document


def test_an_elements_imports_are_called_with_it_unless_the_document_does(tmp_path):
    scripts = tmp_path / "static" / "js"
    scripts.mkdir(parents=True)
    (tmp_path / "index.html").write_text("./static/js/react.1.js", encoding="utf-8")
    sources = {
        "Html.1.js": 'import{a as b}from"./react.1.js";import"./deep.1.js";import("./late.1.js")',
        "deep.1.js": 'import*as c from"./deeper.1.js"',
        "deeper.1.js": "",
        "react.1.js": "",
    }
    for name, source in sources.items():
        (scripts / name).write_text(source, encoding="utf-8")
    assert find_elements(tmp_path, ["Html", "Nowhere"]) == ["Html.1.js", "deep.1.js", "deeper.1.js"]


def test_all_else_is_streamlits(served):
    for path in ("/nowhere", "/learn/deeper", "/static/js/index.js", "/_stcore/health"):
        assert ask(served, path) is None
    assert ask(served, "/", method="POST") is None
    name = f"/_stcore/bidi-components/latent-explorer.latent_map/{served.folder}map/main.js"
    assert ask(served, name) is None, "a browser that cannot unpack it"
    assert ask(served, name.replace("main", "none"), accept_encoding="gzip") is None


def payload_address(served: Opening, name: str) -> str:
    return f"/_stcore/bidi-components/latent-explorer.latent_map/{served.folder}payload/{name}"


def test_a_payload_is_answered_as_it_is_and_may_be_kept_by_the_browser_alone(served, offers):
    payload = pack({"fingerprint": "0123456789abcdef", "numbers": [1, 2, 3]})
    offers.offer(payload, "", "en")
    response = ask(served, payload_address(served, "0123456789abcdef"))
    assert response.body == payload
    assert set(response.headers["cache-control"].split(", ")) >= {"private", "immutable"}


def test_a_fingerprint_that_is_not_handed_out_is_not_found_and_not_kept(served, offers):
    response = ask(served, payload_address(served, "f" * 16))
    assert response.status_code == 404
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    ["", "../map/main.js", "..%2Fmain.js", "0123456789abcde", "0123456789abcdef0",
     "0123456789ABCDEF", "0123456789abcdef/..", "0123456789abcdef\n", "/etc/passwd"],
)  # fmt: skip
def test_what_is_no_fingerprint_is_no_payload(served, offers, name):
    offers.offer(pack({"fingerprint": name}), "", "en")
    assert ask(served, payload_address(served, name)) is None


def test_the_document_calls_the_payload_that_its_page_asked_for_last(served, offers):
    def preloaded(query: str, page: str = "/") -> list[str]:
        document = read(ask(served, page, query))
        return re.findall(
            r'<link rel="preload" as="fetch" crossorigin[^>]* href="\.(.+?)"', document
        )

    assert preloaded("") == []
    offers.offer(pack({"fingerprint": "0" * 16}), "", "en")
    offers.offer(pack({"fingerprint": "1" * 16}), "sweep/b 4", "zh-Hans")
    assert preloaded("") == [payload_address(served, "0" * 16)]
    assert preloaded("lang=zh-Hans&model=sweep%2Fb+4") == [payload_address(served, "1" * 16)]
    assert preloaded("lang=zh-Hans") == preloaded("model=other") == preloaded("", "/elbo") == []


def test_the_map_itself_stands_in_the_document_where_its_payload_is_known(served, offers):
    def places(query: str, page: str = "/") -> list[str]:
        document = read(ask(served, page, query))
        assert document.count('class="explorer-skeleton"') == 1
        return re.findall(r'<div class="early" data-payload="(\w+)">', document)

    assert places("") == []
    offers.offer(pack({"fingerprint": "0" * 16}), "", "en")
    assert places("") == ["0" * 16]
    assert places("model=other") == places("lang=zh-Hans") == places("", "/elbo") == []
    document = read(ask(served, "/"))
    script = re.search(r'import mount from "\.(.+?)"', document)
    assert script and ask(served, script.group(1), accept_encoding="gzip").status_code == 200
    called = f'<link rel="modulepreload" href=".{script.group(1)}">'
    assert document.count(called) == 1
    assert document.index(called) < document.index('<script type="module" crossorigin')


def test_what_the_first_visitor_opens_is_looked_for_once(served, offers, monkeypatch):
    asked = []

    def find_first(model, language):
        asked.append((model, language))
        return pack({"fingerprint": "0" * 16}) if model == "known" else None

    monkeypatch.setattr(served, "find_first", find_first)
    assert 'class="early"' not in read(ask(served, "/", "model=none&lang=en"))
    for _ in range(2):
        assert payload_address(served, "0" * 16) in read(ask(served, "/", "model=known&lang=en"))
    assert asked == [("none", "en"), ("known", "en")]


def test_the_pages_may_lie_below_a_path(tmp_path):
    served = Opening(nowhere, STATIC, "/lab/")
    led = ask(served, "/lab", "model=a")
    assert led.status_code == 307 and led.headers["location"] == "/lab/?model=a"
    assert "explorer-skeleton" in read(ask(served, "/lab/"))
    called = re.findall(r' (?:href|src)="(.*?)"', read(ask(served, "/lab/")))
    assert any("/map/main.js" in address for address in called)
    assert [address for address in called if not address.startswith(("./", "data:"))] == []
    assert read(ask(served, "/lab/train")) != read(ask(served, "/lab/"))
    assert ask(served, "/train") is None
