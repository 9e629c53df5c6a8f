"""The stage: a run's map as it forms, with its terms, its pictures and its film, in one component.

A run that lives sends what is new at every tick; a page that is drawn anew sends the whole film.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.analysis.collapse.moved_beta import describe_beta
from explorer.app.cached.film import get_frame, get_inputs
from explorer.app.parts.kept import Kept
from explorer.app.parts.mount import enclose, inline_component
from explorer.app.text import sentences
from explorer.errors import ExplorerError
from explorer.export.film import choose_axes, choose_frames, describe_empty_film, describe_film
from explorer.runs.run import Run, Snapshot

RECENT = 12
"""So many frames go along with every tick: one that the browser missed comes once more."""
_MARKUP = '<div class="stage"></div>'


def may_stage(run: Run) -> Snapshot | None:
    """Return the newest frame of a run whose film is a map, else None: categories have none."""
    steps = run.snapshot_steps()
    try:
        frame = run.snapshot(steps[-1]) if steps else None
    except ExplorerError:
        return None  # Cut away by a resumed job between the two looks.
    return frame if frame is not None and frame.mean.shape[1] > 0 else None


def _sent(key: str) -> Kept[tuple[int, int] | None]:
    """Return the axes of the film that the browser has; None where it has none."""
    return Kept(f"{key}_sent", None)


def send_anew(key: str) -> None:
    """Have the whole film sent: the page is drawn anew."""
    _sent(key).forget()


def show_empty_stage(run: Run, waiting: str, *, key: str) -> None:
    """Show the stage of a run without a frame, empty, with the sentence that says why."""
    send_anew(key)
    film = describe_empty_film(run, waiting, sentences("stage."))
    inline_component("stage", "film", _MARKUP)(key=key, data=enclose(film))


def show_stage(
    run: Run, newest: Snapshot, points: Sequence[Mapping[str, Any]], *, key: str, live: bool
) -> None:
    """Show the stage of a run whose newest frame is given; `points` is the log of its training."""
    axes = choose_axes(newest, run.info.has_shares)
    steps = run.snapshot_steps()
    is_whole = _sent(key).get() != axes or not live
    frames = []
    for step in choose_frames(steps) if is_whole else steps[-RECENT:]:
        try:
            frames.append(get_frame(run, step, axes))
        except ExplorerError:
            continue
    _sent(key).put(axes)
    newest = dataclasses.replace(newest, inputs=get_inputs(run, newest))
    film = describe_film(
        run, newest, frames, points, axes, describe_beta(run) or "", sentences("stage.")
    )
    inline_component("stage", "film", _MARKUP)(key=key, data=enclose(film))
