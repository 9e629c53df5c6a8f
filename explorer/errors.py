"""The one exception that users are meant to read."""


class ExplorerError(Exception):
    """Something the user can mend; its message is one clear sentence.

    The command line prints it and exits with code 2; the app shows it in place.
    """


class RunRemoved(ExplorerError):
    """The run's folder was deleted while it was trained: nothing is to be written there again."""
