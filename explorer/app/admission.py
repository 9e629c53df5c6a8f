"""Who comes in on a server with visitors: a pass in a cookie, by a code, or by one's own link.

Nothing of the app is answered without a pass but its scripts: no page, no message, no file.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import PurePosixPath
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.app.enter import ask_to_change, choose_language, show_form
from explorer.app.offers import OWNER
from explorer.app.pace import Pace
from explorer.app.session import PASS
from explorer.text import say
from explorer.visitors.house import House
from explorer.visitors.metrics import write_metrics
from explorer.visitors.passes import Visitor

ENTER, HEALTH = "enter", "healthz"
OPEN = ("static/", "_stcore/health")
"""What is answered without a pass: Streamlit's own scripts, and whether it is up."""
PAGES = "text/html"
LONGEST_FORM = 2000
GUESSES, GUESS_SECONDS = 10, 60.0
"""So many wrong codes from one address in so long; more are not looked at."""
PROXIED = 10
"""So many times more from all addresses for which one proxy speaks: what it says of them may be
what a browser told it."""


class Admission:
    """ASGI middleware: lets in who has a pass, and gives one to whoever may have one."""

    def __init__(self, app: ASGIApp, house: House, base: str = "") -> None:
        """`base` is Streamlit's `server.baseUrlPath`."""
        self.app = app
        self.house = house
        self.base = f"/{base.strip('/')}".rstrip("/")
        self.guesses: dict[str, deque[float]] = {}
        self.pace = Pace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or hand the request on with whose it is."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        path = scope["path"].removeprefix(self.base).strip("/")
        visitor = self.find(scope)
        if scope["type"] == "websocket":
            if visitor is None:
                self.house.count_refusal()
                return await send({"type": "websocket.close", "code": 1008})
            wait = self.pace.take_turn(visitor.id)
            if wait is None:
                self.house.count_refusal()
                return await send({"type": "websocket.close", "code": 1013})
            await asyncio.sleep(wait)
            return await self.app({**scope, OWNER: visitor.id}, receive, send)
        if path == HEALTH:
            return await PlainTextResponse(write_metrics(self.house))(scope, receive, send)
        if path == ENTER:
            return await (await self.enter(Request(scope, receive)))(scope, receive, send)
        if visitor is not None:
            if asks_for_page(path, scope):
                if self.pace.is_refused(visitor.id):
                    self.house.count_refusal()
                    words = say(choose_language(Headers(scope=scope)), "enter.pace")
                    return await PlainTextResponse(words, 429)(scope, receive, send)
                send = self.send_with_pass(visitor, scope, send)
            return await self.app({**scope, OWNER: visitor.id}, receive, send)
        if path.startswith(OPEN):
            return await self.app(scope, receive, send)
        await self.welcome(path, scope, receive, send)

    def find(self, scope: Scope) -> Visitor | None:
        """Return whose pass comes with a request, None without one of ours."""
        try:
            jar = SimpleCookie(Headers(scope=scope).get("cookie", ""))
        except CookieError:
            return None
        return self.house.passes.read(jar[PASS].value) if PASS in jar else None

    async def welcome(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Let somebody in who has no pass and asks for a page; refuse anything else."""
        if not asks_for_page(path, scope):
            self.house.count_refusal()
            return await PlainTextResponse("No pass.", 403)(scope, receive, send)
        if self.house.mode.code:
            answer = RedirectResponse(f"{self.base}/{ENTER}", 303)
            return await answer(scope, receive, send)
        visitor = self.house.passes.new_visitor()
        send = self.send_with_pass(visitor, scope, send)
        await self.app({**scope, OWNER: visitor.id}, receive, send)

    def send_with_pass(self, visitor: Visitor, scope: Scope, send: Send) -> Send:
        """Return what sends an answer with the pass: each page that is opened makes it last anew.

        What a visitor has is kept from the last visit on; so is the cookie by which it is found.
        """
        cookie = self.write_cookie(visitor, scope)

        async def send_it(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.append("set-cookie", cookie)
                headers["cache-control"] = "no-store"
            await send(message)

        return send_it

    async def enter(self, request: Request) -> Response:
        """Show the form; take a code, or one's own link, for a pass."""
        language = choose_language(request.headers)
        if request.method == "GET":
            written = parse_qs(request.url.query).get("pass", [""])[-1]
            visitor = self.house.passes.read(written)
            if visitor is None:
                return show_form(language, "enter.link_wrong" if written else "")
            if self.find(request.scope) not in (None, visitor):
                # A stranger's link must not have somebody work in the stranger's place unasked.
                return ask_to_change(language, written, f"{self.base}/")
            return self.let_in(visitor, request.scope)
        if request.method != "POST":
            return PlainTextResponse("", 405)
        if not is_from_here(request.headers):
            self.house.count_refusal()
            return PlainTextResponse("", 403)
        callers = name_callers(request)
        if any(self.count_guesses(caller) >= most for caller, most in callers.items()):
            self.house.count_refusal()
            return show_form(language, "enter.wait", 429)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LONGEST_FORM:
                return PlainTextResponse("", 413)
        filled = parse_qs(body.decode("utf-8", "replace"))
        if written := filled.get("pass", [""])[-1]:
            visitor, trouble = self.house.passes.read(written), "enter.link_wrong"
        else:
            visitor = self.house.come_in(filled.get("code", [""])[-1].strip())
            trouble = "enter.wrong"
        if visitor is None:
            self.house.count_refusal()
            for caller in callers:
                self.guesses.setdefault(caller, deque()).append(time.monotonic())
            return show_form(language, trouble, 403)
        return self.let_in(visitor, request.scope)

    def count_guesses(self, peer: str) -> int:
        """Return how many wrong codes came from an address of late; older ones are forgotten."""
        oldest = time.monotonic() - GUESS_SECONDS
        for other, times in list(self.guesses.items()):
            while times and times[0] < oldest:
                times.popleft()
            if not times:
                del self.guesses[other]
        return len(self.guesses.get(peer, ()))

    def let_in(self, visitor: Visitor, scope: Scope) -> Response:
        """Return the way to the first page, with a pass."""
        answer = RedirectResponse(f"{self.base}/", 303)
        answer.headers.append("set-cookie", self.write_cookie(visitor, scope))
        answer.headers["cache-control"] = "no-store"
        answer.headers["referrer-policy"] = "no-referrer"
        return answer

    def write_cookie(self, visitor: Visitor, scope: Scope) -> str:
        """Return a cookie that no script reads and that no other site sends along."""
        seconds = int(self.house.mode.limits.days * 86400)
        proxied = Headers(scope=scope).get("x-forwarded-proto", "")
        secure = "; Secure" if "https" in (scope.get("scheme"), proxied) else ""
        return (
            f"{PASS}={self.house.passes.write(visitor)}; Path={self.base or '/'}; "
            f"Max-Age={max(seconds, 86400)}; HttpOnly; SameSite=Lax{secure}"
        )


def asks_for_page(path: str, scope: Scope) -> bool:
    """Tell whether a browser asks for a page, and not for a file or by a message."""
    accepted = PAGES in Headers(scope=scope).get("accept", "")
    return scope["method"] in ("GET", "HEAD") and accepted and not PurePosixPath(path).suffix


def is_from_here(headers: Mapping[str, str]) -> bool:
    """Tell whether a form was sent by a page of this host."""
    origin = headers.get("origin", "")
    return not origin or origin.partition("://")[2] == headers.get("host", "")


def name_callers(request: Request) -> dict[str, int]:
    """Return the addresses that a request came from, and how many wrong codes each may say.

    Behind a proxy that is the proxy's, which many share, and the last that it names.
    """
    peer = request.client.host if request.client else ""
    named = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()[:64]
    return {peer: PROXIED * GUESSES, f"{peer} {named}": GUESSES} if named else {peer: GUESSES}
