"""By which names the server may be called: a web page elsewhere cannot pass its own off as ours.

A page whose name is made to lead to this machine (DNS rebinding) is of one origin with the server
in the eyes of a browser, but the name in its requests is not ours. An address in figures is safe:
nobody can make that lead elsewhere. Whoever names the server's names (`--allow-host`) has all
others refused; without, a browser of this very machine is refused by a strange name, and what a
public host or a proxy calls the server, which cannot be known, is let in.
"""

import ipaddress
import os
import socket
from collections.abc import Collection, Mapping
from functools import cache
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from explorer.app.text import text
from explorer.text import closest_language, say

VARIABLE = "LATENT_EXPLORER_HOSTS"
"""Further names, parted by commas; "*" for any."""
HEALTH = ("/_stcore/health", "/healthz")
"""Asked by machines, under any name; they tell nothing of a visitor."""
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""What a proxy adds, and no page can add to the opening of a socket."""


@cache
def own_names() -> frozenset[str]:
    """Return the names of this machine, in lower case."""
    machine = {socket.gethostname().lower(), socket.getfqdn().lower()}
    return frozenset({"localhost", *machine, *(f"{name}.local" for name in machine)})


def added_names() -> frozenset[str]:
    """Return the names that whoever started the server has given, in lower case."""
    given = os.environ.get(VARIABLE, "").split(",")
    return frozenset({name.strip().lower() for name in given} - {""})


def is_known(host: str, names: Collection[str]) -> bool:
    """Tell whether a request's Host is an address in figures or one of `names` (lower case).

    "*.example.com" among them stands for all names below that one, "*" for any.

    >>> [is_known(host, {"localhost"}) for host in ("localhost:8501", "[::1]:80", "evil.example")]
    [True, True, False]
    """
    try:
        split = urlsplit(f"//{host}")
        name, _ = (split.hostname or "").rstrip("."), split.port
    except ValueError:
        return False
    if not name or split.netloc != host or "@" in host:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        above = {f"*.{name.split('.', depth)[depth]}" for depth in range(1, name.count(".") + 1)}
        return bool({"*", name, *above} & set(names))
    return True


class KnownHosts:
    """ASGI middleware: hands on only what does not come by a strange name."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request or socket on, or refuse it in one sentence."""
        if scope["type"] not in ("http", "websocket") or scope["path"].endswith(HEALTH):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not is_strange(headers, (scope.get("client") or [""])[0]):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            language = closest_language(headers.get("accept-language", "").split(",")[0])
            await PlainTextResponse(say(language, "app.strange_host"), 403)(scope, receive, send)


def is_strange(headers: Mapping[str, str], peer: str) -> bool:
    """Tell whether a request (headers in lower case) of `peer` asks for a name of another's.

    A proxy of this machine is told from a browser by what it adds.
    """
    if is_known(headers.get("host", ""), own_names() | added_names()):
        return False
    return bool(added_names()) or (_is_loopback(peer) and not set(_FORWARDED) & set(headers))


def _is_loopback(peer: str) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:  # A socket of the file system, which only this machine has.
        return True
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def refuse_strange_name() -> None:
    """End the script with one sentence where it was asked for by a strange name.

    For `streamlit run explorer/app/main.py`, which no middleware stands before.
    """
    headers = {key.lower(): value for key, value in st.context.headers.items()}
    if headers and is_strange(headers, st.context.ip_address or "127.0.0.1"):
        st.error(text("app.strange_host"))
        st.stop()
