"""Samples: the spread of the L-sample ELBO and the importance-weighted ladder."""

from explorer.app.views.elbo_subject import Subject


def show_samples(subject: Subject) -> None:
    """Lay out the section."""
    raise NotImplementedError
