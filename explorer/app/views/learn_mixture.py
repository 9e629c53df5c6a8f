"""Chapter 2: p(x) as an infinite mixture of Gaussians."""


def show_chapter() -> None:
    """Lay out the section."""
    raise NotImplementedError
