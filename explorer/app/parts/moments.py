"""The codes that follow a timeline's playhead, sent to the browser once."""

from typing import Any

from explorer.app.cached.film import get_moment
from explorer.app.parts.kept import Kept, read_widget
from explorer.app.parts.stage import may_stage
from explorer.app.text import sentences, text
from explorer.errors import ExplorerError
from explorer.export.film import choose_axes
from explorer.export.moments import LAST, describe_moments
from explorer.runs.run import Run

SENT: Kept[dict[str, tuple[str, frozenset[int]]]] = Kept("timeline_codes_sent", {})
"""By timeline: which film the browser has, and its frames."""


def send_codes_anew() -> None:
    """Have all codes sent: the page is drawn anew."""
    SENT.forget()


def gather_codes(run: Run, key: str) -> dict[str, Any] | None:
    """Return what the timeline `key` shows of a run's codes; None for a run without a film.

    Only frames that the browser has not had go along.
    """
    newest = may_stage(run)
    if newest is None:
        return None
    axes = choose_axes(newest, run.info.has_shares)
    axes_told = {name: text(f"figure.{name}") for name in ("var_mean", "mean_var")}
    words = {**sentences("why.codes."), **axes_told}
    film = describe_moments(run, newest, axes, run.snapshot_steps(), words)
    placing, had = SENT.get().get(key, ("", frozenset()))
    if placing != film["placing"] or read_widget(key, {}).get("lacks") == film["placing"]:
        had = frozenset()
    frames = []
    for step in film["steps"]:
        if step in had and step not in film["steps"][-LAST:]:
            continue
        try:
            frames.append(get_moment(run, step, axes))
        except ExplorerError:
            film["steps"] = [kept for kept in film["steps"] if kept != step]
    SENT.put({**SENT.get(), key: (film["placing"], frozenset(film["steps"]))})
    return {**film, "frames": frames}
