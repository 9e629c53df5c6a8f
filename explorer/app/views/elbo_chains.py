"""MCMC: chains that walk to the exact posterior."""

from explorer.app.views.elbo_subject import Subject


def show_chains(subject: Subject) -> None:
    """Lay out the section."""
    raise NotImplementedError
