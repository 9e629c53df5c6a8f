"""The one exception that users are meant to read."""

LONGEST_MESSAGE = 1000
"""Characters; a message may quote a path or a value of any length."""


class ExplorerError(Exception):
    """Something the user can mend; its message is one clear sentence.

    The command line prints it and exits with code 2; the app shows it in place. Of a very long
    message the middle is left out.
    """

    def __init__(self, message: str) -> None:
        super().__init__(shorten(message, LONGEST_MESSAGE))


class RunRemoved(ExplorerError):
    """The run's folder was deleted while it was trained: nothing is to be written there again."""


def shorten(text: str, most: int) -> str:
    """Return `text`, with its middle left out where it has more than `most` characters.

    >>> shorten("a/very/long/path", 9)
    'a/ve…path'
    """
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
