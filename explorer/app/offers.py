"""Payloads that a browser fetches by themselves, under an address that names their content.

Streamlit's own way, the websocket, opens only once the page's scripts run, and what came over it is
not kept for the next visit.
"""

from collections import OrderedDict
from threading import Lock
from typing import Any

from explorer.export.container import read_header

MOST_OFFERED, MOST_PAGES = 24, 100


class Offers:
    """What one server hands out: the latest payloads, and which page asked for which."""

    def __init__(self) -> None:
        self.is_open = False
        """Whether somebody answers for them: `streamlit run` alone has no route of ours."""
        self._payloads: OrderedDict[str, bytes] = OrderedDict()
        self._pages: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = Lock()

    def offer(self, payload: bytes, model: str, language: str) -> str | None:
        """Hand a payload out from now on; return its fingerprint, None where nobody answers.

        `model`, as the address names it ("" for none), and `language` are those of its page.
        """
        if not self.is_open:
            return None
        fingerprint = str(read_header(payload)["fingerprint"])
        with self._lock:
            _put(self._payloads, fingerprint, payload, MOST_OFFERED)
            _put(self._pages, (model, language), fingerprint, MOST_PAGES)
        return fingerprint

    def find(self, fingerprint: str) -> bytes | None:
        """Return the payload of a fingerprint, None for one that is not handed out."""
        with self._lock:
            return self._payloads.get(fingerprint)

    def expect(self, model: str, language: str) -> str | None:
        """Return the fingerprint of what a page asked for when it was last opened, if any."""
        with self._lock:
            fingerprint = self._pages.get((model, language))
            return fingerprint if fingerprint in self._payloads else None


OFFERS = Offers()
"""Those of this process."""


def _put(kept: OrderedDict[Any, Any], key: object, value: object, most: int) -> None:
    """Put an entry last, and let the first ones go."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
