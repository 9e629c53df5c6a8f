"""A run's training as a widget, which follows a run that is still written."""

import threading
import weakref
from pathlib import Path
from typing import Any

from explorer.analysis.collapse.moved_beta import describe_beta
from explorer.errors import ExplorerError
from explorer.export.film import choose_axes, choose_frames, describe_film, encode_film_frame
from explorer.notebook.base import Pictured, synced
from explorer.notebook.scripts import widget_script, widget_style
from explorer.runs.run import Run
from explorer.text import say, sentences

RECENT = 12
"""So many frames go along with every look: one that the page missed comes once more."""
SECONDS = 0.5
"""Between two looks at a run that is written."""


class FilmWidget(Pictured):
    """The film of a run: `data` is what the page was told last, None before the first frame."""

    _esm = widget_script("film")
    _css = widget_style("film")
    data = synced("Any")
    waiting = synced("Unicode", "")

    def __init__(self, path: Path, language: str) -> None:
        self._path, self._language = path, language
        self._seen: Any = None
        self._closed = threading.Event()
        super().__init__(waiting=say(language, "notebook.waiting"))
        self.look()
        threading.Thread(
            target=_follow, args=(weakref.ref(self), self._closed), daemon=True
        ).start()

    def look(self) -> bool:
        """Show what is new in the run; return whether more may come."""
        run = self._open()
        if run is None:
            return True
        try:
            steps, points = run.snapshot_steps(), run.metrics("train")
            seen = (run.info.created, steps[-1:], len(points))
            if steps and seen != self._seen:
                self.data = self._describe(run, steps[-RECENT:], points)
                self._seen = seen
            return run.info.status.is_alive() or not points
        except ExplorerError:
            return True  # Between two looks it was cut back, or begun anew.

    def close(self) -> None:
        """Take the widget out of the page, and look no more."""
        self._closed.set()
        super().close()
        self.data = None

    def _open(self) -> Run | None:
        try:
            return Run(self._path)
        except ExplorerError:
            return None

    def _describe(self, run: Run, steps: list[int], points: Any) -> dict[str, Any] | None:
        newest = run.snapshot(steps[-1])
        if newest.mean.shape[1] < 1:
            self.waiting = say(self._language, "notebook.no_latent")
            return None
        axes = choose_axes(newest, run.info.has_shares)
        frames = [encode_film_frame(run.snapshot(step), axes) for step in steps]
        words = sentences(self._language, "stage.")
        return describe_film(run, newest, frames, points, axes, describe_beta(run) or "", words)

    def _hear(self, widget: Any, content: Any, buffers: Any) -> None:
        """Answer a page that has just come with the whole film."""
        if content.get("wants") != "film":
            super()._hear(widget, content, buffers)
            return
        run = self._open()
        steps = [] if run is None else run.snapshot_steps()
        if run is not None and steps:
            film = self._describe(run, choose_frames(steps), run.metrics("train"))
            self.send({"film": film})


def _follow(widget: "weakref.ref[FilmWidget]", closed: threading.Event) -> None:
    """Look at the run until it has ended, or nobody shows it any more."""
    while not closed.wait(SECONDS):
        shown = widget()
        if shown is None or not shown.look():
            return
        del shown
