"""Reveal the picture: what is known of z when only some pixels are."""

from explorer.app.views.elbo_subject import Subject


def show_reveal(subject: Subject) -> None:
    """Lay out the section."""
    raise NotImplementedError
