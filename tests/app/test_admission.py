"""Every door of a server with visitors: nothing comes out without a pass, nor to another's."""

import pytest

from explorer.app.admission import GUESSES, PROXIED, Admission
from explorer.app.enter import ask_to_change, show_form
from explorer.app.offers import OWNER, Offers
from explorer.app.pace import BURST
from explorer.app.session import PASS
from explorer.export.container import pack
from explorer.text import LANGUAGES, say
from explorer.visitors.house import House
from explorer.visitors.mode import Mode
from explorer.visitors.passes import Visitor
from tests.waiting import run_apart

HOST = "class.example"
ANNA, BELA = Visitor("a" * 32), Visitor("b" * 32)
PAGE = {"accept": "text/html"}


class Inner:
    """Stands for the app: answers all that reaches it, and remembers whose it was."""

    def __init__(self) -> None:
        self.owners: list[str | None] = []

    async def __call__(self, scope, receive, send) -> None:
        self.owners.append(scope.get(OWNER))
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"the app"})
        else:
            await send({"type": "websocket.accept"})


class Door:
    """One server's door, and what is said at it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.inner = Inner()
        self.admission = Admission(self.inner, house)

    def ask(self, path="/", method="GET", kind="http", query="", body=b"", **headers: str):
        """Return the status, the headers and the body of the answer."""
        sent = []
        packed = [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in {"host": HOST, **headers}.items()
        ]
        scope = {
            "type": kind,
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": packed,
            "scheme": "http",
            "client": ("10.0.0.1", 1),
            "server": (HOST, 80),
        }

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        run_apart(self.admission(scope, receive, send))
        first = sent[0]
        told = {key.decode(): value.decode() for key, value in first.get("headers", [])}
        return first.get("status", first["type"]), told, b"".join(m.get("body", b"") for m in sent)

    def cookie(self, visitor: Visitor) -> str:
        return f"{PASS}={self.house.passes.write(visitor)}"


@pytest.fixture
def door(tmp_path):
    return Door(House(Mode("classroom", code="apple", lecturer="pear"), tmp_path))


@pytest.fixture
def open_door(tmp_path):
    return Door(House(Mode("public"), tmp_path))


DOORS = [
    "/_stcore/host-config", "/_stcore/upload_file/x/y", "/media/abc.png", "/component/x/y",
    "/_stcore/bidi-components/latent-explorer.latent_map/payload/0123456789abcdef",
    "/_stcore/bidi-components/latent-explorer.latent_map/0123456789abcdef/map/main.js",
    "/_stcore/metrics", "/train", "/runs/", "/",
]  # fmt: skip


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_nothing_is_answered_without_a_pass(door, path, method):
    status, _, body = door.ask(path, method)
    assert (status, body) == (403, b"No pass.")
    forged = f"{PASS}=visitor.{'a' * 32}.{'0' * 64}"
    assert door.ask(path, method, cookie=forged)[0] == 403
    assert door.inner.owners == []
    assert door.house.refused == 2


def test_no_message_is_heard_without_a_pass(door):
    assert door.ask("/_stcore/stream", kind="websocket")[0] == "websocket.close"
    status = door.ask("/_stcore/stream", kind="websocket", cookie=door.cookie(ANNA))[0]
    assert status == "websocket.accept"
    assert door.inner.owners == [ANNA.id]


@pytest.mark.parametrize("path", DOORS)
def test_with_a_pass_the_app_is_told_whose_it_is(door, path):
    assert door.ask(path, cookie=f"a=b; {door.cookie(BELA)}")[2] == b"the app"
    assert door.inner.owners == [BELA.id]


def test_scripts_and_health_are_everybodys(door):
    for path in ("/static/js/index.js", "/_stcore/health"):
        assert door.ask(path)[2] == b"the app"
    assert door.ask("/healthz")[2].startswith(b"ok visitors=0")


def test_a_page_leads_to_the_code_and_the_code_to_a_pass(door):
    status, told, _ = door.ask("/train", **PAGE)
    assert (status, told["location"]) == (303, "/enter")
    status, told, body = door.ask("/enter", accept_language="zh-CN")
    assert status == 200 and say("zh-Hans", "enter.lead") in body.decode()
    assert "default-src 'none'" in told["content-security-policy"]
    status, told, _ = door.ask("/enter", "POST", body=b"code=apple", origin=f"http://{HOST}")
    assert (status, told["location"]) == (303, "/")
    assert "HttpOnly" in told["set-cookie"] and "SameSite=Lax" in told["set-cookie"]
    written = told["set-cookie"].partition("=")[2].partition(";")[0]
    visitor = door.house.passes.read(written)
    assert visitor is not None and not visitor.is_lecturer


def test_the_other_code_makes_a_lecturer(door):
    told = door.ask("/enter", "POST", body=b"code=pear")[1]
    visitor = door.house.passes.read(told["set-cookie"].partition("=")[2].partition(";")[0])
    assert visitor is not None and visitor.is_lecturer


def test_wrong_codes_are_told_and_counted(door):
    for _ in range(GUESSES):
        status, told, _ = door.ask("/enter", "POST", body=b"code=plum")
        assert status == 403 and "set-cookie" not in told
    status, told, _ = door.ask("/enter", "POST", body=b"code=apple")
    assert status == 429 and "set-cookie" not in told


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null"])
def test_a_form_of_another_site_is_not_read(door, origin):
    status, told, _ = door.ask("/enter", "POST", body=b"code=apple", origin=origin)
    assert status == 403 and "set-cookie" not in told


def test_a_form_has_a_size(door):
    assert door.ask("/enter", "POST", body=b"code=" + bytes(10_000))[0] == 413
    assert door.ask("/enter", "PUT")[0] == 405


def test_ones_own_link_finds_the_same_again(door):
    status, told, _ = door.ask("/enter", query=f"pass={door.house.passes.write(ANNA)}")
    assert status == 303 and door.house.passes.write(ANNA) in told["set-cookie"]
    status, told, body = door.ask("/enter", query="pass=visitor.x.y")
    assert "set-cookie" not in told and say("en", "enter.link_wrong").encode() in body


def test_a_strangers_link_asks_before_it_takes_ones_place(door):
    written = door.house.passes.write(BELA)
    status, told, body = door.ask("/enter", query=f"pass={written}", cookie=door.cookie(ANNA))
    assert status == 200 and "set-cookie" not in told
    assert say("en", "enter.change").encode() in body and written.encode() in body
    # One's own link asks nothing, nor does whoever says yes.
    assert door.ask("/enter", query=f"pass={written}", cookie=door.cookie(BELA))[0] == 303
    form = f"pass={written}".encode()
    status, told, _ = door.ask("/enter", "POST", body=form, cookie=door.cookie(ANNA))
    assert status == 303 and written in told["set-cookie"]
    # A page elsewhere cannot say it for them.
    forged = door.ask("/enter", "POST", body=form, origin="http://elsewhere.example")
    assert forged[0] == 403 and "set-cookie" not in forged[1]
    assert door.ask("/enter", "POST", body=b"pass=visitor.x.y")[0] == 403


def test_one_who_guesses_behind_a_proxy_locks_out_nobody_else(door):
    for _ in range(GUESSES):
        door.ask("/enter", "POST", body=b"code=plum", x_forwarded_for="1.1.1.1, 203.0.113.7")
    wrong = door.ask("/enter", "POST", body=b"code=apple", x_forwarded_for="203.0.113.7")
    assert wrong[0] == 429
    other = door.ask("/enter", "POST", body=b"code=apple", x_forwarded_for="203.0.113.8")
    assert other[0] == 303


def test_addresses_that_are_made_up_are_counted_together(door):
    said = [
        door.ask("/enter", "POST", body=b"code=plum", x_forwarded_for=f"192.0.2.{i}")[0]
        for i in range(PROXIED * GUESSES + 1)
    ]
    assert said == [403] * (PROXIED * GUESSES) + [429]


def test_without_a_code_the_first_page_brings_a_pass(open_door):
    _, told, body = open_door.ask("/runs", **PAGE)
    assert body == b"the app" and "HttpOnly" in told["set-cookie"]
    written = told["set-cookie"].partition("=")[2].partition(";")[0]
    visitor = open_door.house.passes.read(written)
    assert visitor is not None and open_door.inner.owners == [visitor.id]
    assert open_door.house.count() == 0, "who only asked for a page takes no room"
    assert open_door.ask("/app.js", **PAGE)[0] == 403


def test_over_https_the_cookie_keeps_to_it(open_door):
    told = open_door.ask("/", x_forwarded_proto="https", **PAGE)[1]
    assert "; Secure" in told["set-cookie"]


def test_a_payload_is_handed_to_its_owner_alone():
    offers = Offers()
    offers.is_open = True
    mine = pack({"fingerprint": "1" * 16})
    all_see = pack({"fingerprint": "2" * 16})
    offers.offer(mine, "secret", "en", ANNA.id)
    offers.offer(all_see, "mnist-2d", "en")
    assert offers.find("1" * 16, ANNA.id) == mine
    assert offers.find("1" * 16, BELA.id) is None and offers.find("1" * 16) is None
    assert offers.expect("secret", "en", ANNA.id) == "1" * 16
    assert offers.expect("secret", "en", BELA.id) is None
    for owner in ("", ANNA.id, BELA.id):
        assert offers.find("2" * 16, owner) == all_see
        assert offers.expect("mnist-2d", "en", owner) == "2" * 16


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_is_whole_in_every_language(language):
    body = bytes(show_form(language, "enter.wrong").body).decode()
    assert f'<html lang="{language}">' in body and 'role="alert"' in body
    assert "<script" not in body
    asked = bytes(ask_to_change(language, "a'\"<b", "/").body).decode()
    assert f'<html lang="{language}">' in asked and 'value="a&#x27;&quot;&lt;b"' in asked


def test_each_page_that_is_opened_makes_the_pass_last_anew(door):
    cookie = door.cookie(ANNA)
    for path in ("/", "/runs"):
        told = door.ask(path, cookie=cookie, **PAGE)[1]
        assert told["set-cookie"].startswith(f"{cookie};") and "Max-Age=86400" in told["set-cookie"]
    for path in ("/media/abc.png", "/_stcore/host-config"):
        assert "set-cookie" not in door.ask(path, cookie=cookie)[1]


def test_who_reloads_without_end_is_told_to_wait_and_nobody_else(door):
    for _ in range(BURST):
        assert door.ask("/_stcore/stream", kind="websocket", cookie=door.cookie(ANNA))[0] == (
            "websocket.accept"
        )
    while not door.admission.pace.is_refused(ANNA.id):
        door.admission.pace.take_turn(ANNA.id)
    reached = len(door.inner.owners)
    assert door.ask("/_stcore/stream", kind="websocket", cookie=door.cookie(ANNA))[0] == (
        "websocket.close"
    )
    for language in LANGUAGES:
        asked = {"cookie": door.cookie(ANNA), "accept_language": language}
        status, _, body = door.ask("/learn", **PAGE, **asked)
        assert (status, body.decode()) == (429, say(language, "enter.pace"))
    assert len(door.inner.owners) == reached
    assert door.ask("/learn", **PAGE, cookie=door.cookie(BELA))[0] == 200
