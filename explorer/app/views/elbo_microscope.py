"""ELBO under the microscope: the identity in two bars, and q against the exact posterior."""

from explorer.app.views.elbo_subject import Subject


def show_microscope(subject: Subject) -> None:
    """Lay out the section."""
    raise NotImplementedError
