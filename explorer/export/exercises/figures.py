"""The figure that a question asks for, computed from the run that it speaks of."""

from functools import cached_property
from typing import Any

import numpy as np

from explorer.errors import ExplorerError
from explorer.export.exercises.sheet import Question
from explorer.library import Library
from explorer.runs.run import Run


class Answers:
    """The answers of questions, each computed when it is first asked for."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._runs: dict[str, _Asked] = {}
        self._answers: dict[tuple[str, int], float] = {}

    def answer(self, question: Question, variant: int) -> float:
        """Return the answer to one variant; ExplorerError where the run cannot tell it."""
        if question.answers:
            return question.answers[variant]
        key = (question.id, variant)
        if key not in self._answers:
            self._answers[key] = self._compute(question, variant)
        return self._answers[key]

    def _compute(self, question: Question, variant: int) -> float:
        assert question.figure is not None
        asked = self._open(find_run(question, variant, self.library))
        if question.images:
            return asked.of_image(question.figure, question.images[variant])
        return asked.of_model(question.figure)

    def _open(self, run: Run) -> "_Asked":
        return self._runs.setdefault(run.id, _Asked(run, self.library))


def find_run(question: Question, variant: int, library: Library) -> Run:
    """Return the run that a variant speaks of; ExplorerError where there is none."""
    if question.run is not None:
        from explorer.runs.store import open_run

        return open_run(question.run)
    sweep = library.sweeps().get(question.sweep or "")
    if sweep is None:
        raise ExplorerError(f"Question {question.id}: there is no sweep {question.sweep}.")
    beta = question.betas[variant]
    for run in sweep.runs().values():
        if run.info.beta is not None and np.isclose(run.info.beta, beta):
            return run
    raise ExplorerError(f"Question {question.id}: {question.sweep} has no model of β = {beta:g}.")


class _Asked:
    """A run, and what was computed of it."""

    def __init__(self, run: Run, library: Library) -> None:
        self.run, self.library = run, library
        self._images: dict[int, dict[str, float]] = {}

    def of_model(self, figure: str) -> float:
        """Return active units of the stored codes, or a mean over the images it was tested on."""
        if figure == "active_units":
            from explorer.analysis.collapse.diagnose import diagnose_run

            return float(diagnose_run(self.run, causes=False).active_units)
        value = self.run.info.best_results.get(figure)
        if value is None:
            raise ExplorerError(f"The run {self.run.id} has no measured {figure}.")
        return float(value)

    def of_image(self, figure: str, number: int) -> float:
        """Return a term of the identity for one picture, as its page under the lens shows it."""
        if number not in self._images:
            self._images[number] = self._examine(number)
        return self._images[number][figure]

    def _examine(self, number: int) -> dict[str, float]:
        from explorer.analysis.inference.microscope import examine_image
        from explorer.elbo.encoding import draw_targets

        pictures, run = self._pictures, self.run
        if pictures is None or number > len(pictures.images):
            raise ExplorerError(f"There is no picture {number} of the run {run.id} at hand.")
        target = draw_targets(run.model, pictures.images[number - 1 : number])
        found = examine_image(run.model, target, self._grid)
        return {
            "exact_log_likelihood": found.log_px,
            "elbo": found.elbo,
            "gap": found.gap,
            "kl": found.kl,
            "reconstruction": found.reconstruction,
        }

    @cached_property
    def _pictures(self) -> Any:
        from explorer.export.page import PAGE_IMAGE_BYTES
        from explorer.export.pictures import find_pictures

        return find_pictures(self.run, self.library.images_of(self.run), PAGE_IMAGE_BYTES)

    @cached_property
    def _grid(self) -> Any:
        from explorer.analysis.inference.posterior_grid import build_grid

        codes = self.run.codes()
        return build_grid(self.run.model, None if codes is None else codes.mean)
