"""Who somebody is: an id that cannot be guessed, signed, so that none but ours is taken.

A pass stands in a cookie and in the link by which another device finds the same runs. It outlives
the server: the key lies beside the visitors' folders.
"""

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.files import explain_os_error, make_folder

ROLES = ("visitor", "lecturer")
LECTURER = "lecturer"
"""The id, and the role, of whoever knows the lecturer's code."""
_PASS = re.compile(r"([a-z]{1,12})\.([0-9a-z]{1,40})\.([0-9a-f]{64})")


@dataclass(frozen=True)
class Visitor:
    """Somebody who was let in."""

    id: str
    """The name of their folder: 32 hexadecimal digits, or LECTURER."""
    role: str = "visitor"

    @property
    def is_lecturer(self) -> bool:
        """Tell whether they lead the class."""
        return self.role == LECTURER


class Passes:
    """Writes passes with a key, and reads those alone that were written with it.

    With another code than that by which they came in, visitors and lecturers come in anew.
    """

    def __init__(self, key: bytes, code: str = "", lecturer: str = "") -> None:
        self._keys = {
            role: hashlib.sha256(key + said.encode()).digest()
            for role, said in zip(ROLES, (code, lecturer), strict=True)
        }

    def new_visitor(self) -> Visitor:
        """Return a visitor who has not been here before."""
        return Visitor(secrets.token_hex(16))

    def write(self, visitor: Visitor) -> str:
        """Return a visitor's pass."""
        told = f"{visitor.role}.{visitor.id}"
        return f"{told}.{self._sign(visitor.role, visitor.id)}"

    def read(self, written: str) -> Visitor | None:
        """Return whose pass this is, None for one that is not ours."""
        found = _PASS.fullmatch(written)
        if found is None or found[1] not in ROLES:
            return None
        if not hmac.compare_digest(self._sign(found[1], found[2]), found[3]):
            return None
        return Visitor(found[2], found[1])

    def _sign(self, role: str, visitor_id: str) -> str:
        told = f"{role}.{visitor_id}".encode()
        return hmac.new(self._keys[role], told, hashlib.sha256).hexdigest()


def load_key(folder: Path) -> bytes:
    """Return the key that lies in `folder`, made at first use, readable by its owner alone."""
    path = folder / "key"
    try:
        make_folder(folder)
        private = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(private, "wb") as stream:
            stream.write(secrets.token_bytes(32))
    except FileExistsError:
        pass
    except OSError as error:
        raise explain_os_error(error, path) from error
    key = path.read_bytes()
    if len(key) != 32:
        raise ExplorerError(f"{path} is no key: remove it, and all visitors come in anew.")
    return key
