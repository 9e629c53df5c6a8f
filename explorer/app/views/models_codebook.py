"""A VQ-VAE's codes: the code grid, how often each is used, and codes swapped by hand."""


def show_codebook() -> None:
    """Lay out the section."""
    raise NotImplementedError
