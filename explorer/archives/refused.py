"""Why a file or a member of an archive is not read, by a key that other languages can translate."""

REASONS: dict[str, str] = {
    "bytes": "it takes {detail} MB, more than 64",
    "ratio": "it is packed {detail} : 1, as bombs are",
    "liar": "its size or checksum is not what the archive states",
    "path": "its path leads out of the archive",
    "link": "it is a link that leads elsewhere",
    "special": "it is no ordinary file",
    "locked": "it is encrypted",
    "packing": "it is packed by another method than deflate",
}
"""Those of archives; `datasets.report` has more for pictures and tables."""


class Refused(Exception):
    """Raised for one file that is left out: a key of the reasons and a figure."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
