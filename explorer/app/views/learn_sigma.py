"""Chapter 5: the decoder's σ², and why it is a β."""


def show_chapter() -> None:
    """Lay out the section."""
    raise NotImplementedError
