"""Payloads that a browser fetches by themselves, under an address that names their content.

Streamlit's own way, the websocket, opens only once the page's scripts run, and what came over it is
not kept for the next visit.
"""

from collections import OrderedDict
from threading import Lock

from explorer.app.bounded import Bounded
from explorer.export.container import read_header

MOST_BYTES, MOST_PAGES = 16_000_000, 100
"""A map's payload has half a megabyte to three. Who comes too late for one is sent it again."""
OWNER = "explorer.owner"
"""Where a request says whose it is, once that has been found out."""


class Offers:
    """What one server hands out: the latest payloads, and which page asked for which."""

    def __init__(self) -> None:
        self.is_open = False
        """Whether somebody answers for them: `streamlit run` alone has no route of ours."""
        self._payloads = Bounded(MOST_BYTES)
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
        self._payloads.put((owner, fingerprint), payload)
        with self._lock:
            page = owner, model, language
            self._pages[page] = fingerprint
            self._pages.move_to_end(page)
            if len(self._pages) > MOST_PAGES:
                self._pages.popitem(last=False)
        return fingerprint

    def find(self, fingerprint: str, owner: str = "") -> bytes | None:
        """Return the payload of a fingerprint, None for one that is not handed out to `owner`."""
        for whose in (owner, ""):
            payload: bytes | None = self._payloads.peek((whose, fingerprint))
            if payload is not None:
                return payload
        return None

    def expect(self, model: str, language: str, owner: str = "") -> str | None:
        """Return the fingerprint of what a page asked for when it was last opened, if any."""
        with self._lock:
            for whose in (owner, ""):
                fingerprint = self._pages.get((whose, model, language))
                if fingerprint and self._payloads.peek((whose, fingerprint)) is not None:
                    return fingerprint
        return None


OFFERS = Offers()
"""Those of this process."""
