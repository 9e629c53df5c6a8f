"""Models side by side: the same images, their reconstructions, maps and samples."""


def show_comparison() -> None:
    """Lay out the section."""
    raise NotImplementedError
