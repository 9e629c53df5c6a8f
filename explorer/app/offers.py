"""Payloads that a browser fetches by themselves, under an address that names their content.

Streamlit's own way, the websocket, opens only once the page's scripts run, and what came over it is
not kept for the next visit.
"""

from collections import OrderedDict
from threading import Lock
from typing import Any

from explorer.export.container import read_header

MOST_OFFERED, MOST_PAGES = 24, 100
OWNER = "explorer.owner"
"""Where a request says whose it is, once that has been found out."""


class Offers:
    """What one server hands out: the latest payloads, and which page asked for which."""

    def __init__(self) -> None:
        self.is_open = False
        """Whether somebody answers for them: `streamlit run` alone has no route of ours."""
        self._payloads: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._pages: OrderedDict[tuple[str, str, str], str] = OrderedDict()
        self._lock = Lock()

    def offer(self, payload: bytes, model: str, language: str, owner: str = "") -> str | None:
        """Hand a payload out from now on; return its fingerprint, None where nobody answers.

        `model`, as the address names it ("" for none), and `language` are those of its page. It is
        handed to nobody but its `owner`, the visitor whose run it is; to all with "".
        """
        if not self.is_open:
            return None
        fingerprint = str(read_header(payload)["fingerprint"])
        with self._lock:
            _put(self._payloads, (owner, fingerprint), payload, MOST_OFFERED)
            _put(self._pages, (owner, model, language), fingerprint, MOST_PAGES)
        return fingerprint

    def find(self, fingerprint: str, owner: str = "") -> bytes | None:
        """Return the payload of a fingerprint, None for one that is not handed out to `owner`."""
        with self._lock:
            own = self._payloads.get((owner, fingerprint))
            return self._payloads.get(("", fingerprint)) if own is None else own

    def expect(self, model: str, language: str, owner: str = "") -> str | None:
        """Return the fingerprint of what a page asked for when it was last opened, if any."""
        with self._lock:
            for whose in (owner, ""):
                fingerprint = self._pages.get((whose, model, language))
                if fingerprint is not None and (whose, fingerprint) in self._payloads:
                    return fingerprint
        return None


OFFERS = Offers()
"""Those of this process."""


def _put(kept: OrderedDict[Any, Any], key: object, value: object, most: int) -> None:
    """Put an entry last, and let the first ones go."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
