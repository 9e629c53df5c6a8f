"""What a setting may be: checks that say in one sentence what it must be instead."""

from explorer.errors import ExplorerError

LARGEST_SEED = 2**31 - 1


def check_seed(seed: int) -> int:
    """Return a seed; an ExplorerError for a number that not every generator takes."""
    # NumPy's whole numbers are none of Python's.
    plain = int(seed) if hasattr(seed, "__index__") and not isinstance(seed, bool) else seed
    check_whole("seed", plain, 0, LARGEST_SEED)
    return plain


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise ExplorerError where a value is none of `choices`."""
    if value not in choices:
        raise ExplorerError(f"{name} must be one of {', '.join(choices)}; it is {value!r}.")


def check_truth(name: str, value: object) -> None:
    """Raise ExplorerError where a value is neither true nor false."""
    if not isinstance(value, bool):
        raise ExplorerError(f"{name} must be true or false; it is {value!r}.")


def check_between(name: str, value: object, low: float, high: float) -> None:
    """Raise ExplorerError where a value is no number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ExplorerError(f"{name} must be a number from {low:g} to {high:g}; it is {value!r}.")


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise ExplorerError where a value is no whole number from `low` to `high`."""
    if isinstance(value, float):
        raise ExplorerError(f"{name} must be a whole number; it is {value!r}.")
    check_between(name, value, low, high)
