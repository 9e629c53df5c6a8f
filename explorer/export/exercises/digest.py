"""A small digest of text that Python and the browser agree on (`browser/site/digest.js`)."""

_PRIME, _OFFSET, _MASK = 0x01000193, 0x811C9DC5, 0xFFFFFFFF


def digest(text: str) -> int:
    """Return 32 bits of a text: FNV-1a over its UTF-8, then MurmurHash3's last mixing.

    It chooses variants and notices lines that were cut or changed by accident; it keeps no secret.
    """
    value = _OFFSET
    for byte in text.encode("utf-8"):
        value = ((value ^ byte) * _PRIME) & _MASK
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & _MASK
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & _MASK
    return value ^ (value >> 16)
