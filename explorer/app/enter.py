"""The pages that stand before the app: the form for the code, and the question of a link."""

from collections.abc import Mapping
from html import escape

from starlette.responses import HTMLResponse, Response

from explorer.browser import read_styles
from explorer.figures.palette import role_variables
from explorer.text import closest_language, say

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def choose_language(headers: Mapping[str, str]) -> str:
    """Return the language of a browser."""
    return closest_language(headers.get("accept-language", "").split(",")[0])


def show_form(language: str, trouble: str = "", status: int = 200) -> Response:
    """Return the page that asks for the code; `trouble` is the key of what went wrong."""
    told = f'<p class="trouble" role="alert">{_say(language, trouble)}</p>' if trouble else ""
    return _show(
        language,
        status,
        f"<p>{_say(language, 'enter.lead')}</p>"
        f'<form method="post"><label>{_say(language, "enter.code")}<input name="code" '
        f'type="password" autocomplete="off" maxlength="200" autofocus required></label>{told}'
        f"<button>{_say(language, 'enter.go')}</button></form>",
    )


def ask_to_change(language: str, written: str, home: str) -> Response:
    """Return the page that asks whether one's own place shall be left for that of a link.

    `written` is the link's pass, `home` the address of one's own place.
    """
    return _show(
        language,
        200,
        f"<p>{_say(language, 'enter.change')}</p>"
        f'<form method="post"><input type="hidden" name="pass" value="{escape(written)}">'
        f"<button>{_say(language, 'enter.change.go')}</button>"
        f'<a href="{escape(home)}" autofocus>{_say(language, "enter.change.stay")}</a></form>',
    )


def _say(language: str, key: str) -> str:
    return escape(say(language, key))


def _show(language: str, status: int, content: str) -> Response:
    title = _say(language, "enter.title")
    page = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>:root {{ {role_variables(False)} }}"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {role_variables(True)} }} }}"
        f"{read_styles('enter')}</style><main><h1>{title}</h1>{content}</main></html>"
    )
    told = {
        "cache-control": "no-store",
        "content-security-policy": POLICY,
        "referrer-policy": "same-origin",
    }
    return HTMLResponse(page, status, told)
