"""Two players: encoder steps, decoder steps, and one step in slow motion."""

from explorer.app.views.elbo_subject import Subject


def show_players(subject: Subject) -> None:
    """Lay out the section."""
    raise NotImplementedError
