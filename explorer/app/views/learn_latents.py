"""Chapter 1: why latents, and why not generate x directly."""


def show_chapter() -> None:
    """Lay out the section."""
    raise NotImplementedError
