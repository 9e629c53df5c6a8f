"""Chapter 6: gradients with and without reparameterisation."""


def show_chapter() -> None:
    """Lay out the section."""
    raise NotImplementedError
