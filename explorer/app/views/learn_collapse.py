"""Chapter 7: β and collapse."""


def show_chapter() -> None:
    """Lay out the section."""
    raise NotImplementedError
