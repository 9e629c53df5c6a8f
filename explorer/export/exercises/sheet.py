"""A sheet of questions in TOML: what is asked, of which run, and how near an answer must be.

A question has as many variants as it names images or values of β, one without any; the seed and
the student's name choose among them, here and in the browser by the same rule.
"""

import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError
from explorer.export.exercises.digest import digest
from explorer.files import read_limited
from explorer.text import LANGUAGES

IMAGE_FIGURES = ("exact_log_likelihood", "elbo", "gap", "kl", "reconstruction")
"""What can be asked of one image of a model of two latents."""
MODEL_FIGURES = ("active_units", "elbo", "kl", "reconstruction")
"""What can be asked of a model."""
PAGES = ("explore", "consultation")
LARGEST_FILE = 200_000
MAX_QUESTIONS, MAX_VARIANTS = 40, 40

_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_KEYS = {
    "id", "ask", "unit", "run", "sweep", "images", "betas", "figure", "answer", "tolerance",
    "relative", "seed", "page", "scene",
}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """One question: its words by language, what it speaks of, and how its answer is known."""

    id: str
    ask: Mapping[str, str]
    unit: str
    run: str | None
    sweep: str | None
    images: tuple[int, ...]
    """Of the run's pictures, from 1, as the pages of its lenses are numbered."""
    betas: tuple[float, ...]
    figure: str | None
    answers: tuple[float, ...]
    """One for each variant, nothing where `figure` is computed."""
    tolerance: float
    is_relative: bool
    seed: int
    page: str
    scene: str

    @property
    def variants(self) -> int:
        """How many students can be asked differently."""
        return len(self.images) or len(self.betas) or 1

    def variant_of(self, name: str) -> int:
        """Return which variant a student is asked, from 0."""
        return digest(f"{self.seed}|{self.id}|{name}") % self.variants

    def say(self, language: str) -> str:
        """Return the question in a language, else in the first that it is asked in."""
        return self.ask.get(language) or next(iter(self.ask.values()))

    def accepts(self, given: float, answer: float) -> bool:
        """Tell whether a number is near enough."""
        room = self.tolerance * (abs(answer) if self.is_relative else 1.0)
        return abs(given - answer) <= room * (1 + 1e-9)


@dataclass(frozen=True)
class Sheet:
    """The questions of a file, and the word that its lines are known by."""

    id: str
    questions: tuple[Question, ...]


def read_sheet(path: str | os.PathLike[str]) -> Sheet:
    """Return the sheet in a TOML file; ExplorerError, naming the question, where it is not one."""
    if os.fspath(path).lower().endswith((".yaml", ".yml")):
        raise ExplorerError(f"{path} is YAML: write the exercises as TOML (docs/exercises.md).")
    try:
        document = tomllib.loads(read_limited(Path(path), LARGEST_FILE).decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ExplorerError(f"{path} is no TOML in UTF-8: {error}.") from None
    name, rows = document.get("sheet"), document.get("questions")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise ExplorerError(f'{path} needs a line such as: sheet = "week-3" (a-z, 0-9, dashes).')
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_QUESTIONS:
        raise ExplorerError(f"{path} needs between 1 and {MAX_QUESTIONS} tables [[questions]].")
    questions = tuple(
        _read_question(row, i + 1, document.get("seed", 0)) for i, row in enumerate(rows)
    )
    ids = [question.id for question in questions]
    if len(set(ids)) < len(ids):
        raise ExplorerError(f"{path} has two questions of one id: {', '.join(ids)}.")
    return Sheet(name, questions)


def _read_question(row: Any, place: int, seed: Any) -> Question:
    name = row.get("id") if isinstance(row, dict) else None
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise ExplorerError(f"Question {place} needs an id of a-z, 0-9 and dashes.")

    def refuse(reason: str) -> ExplorerError:
        return ExplorerError(f"Question {name}: {reason}.")

    if unknown := sorted(set(row) - _KEYS):
        raise refuse(
            f"{', '.join(unknown)} is not known; a question has {', '.join(sorted(_KEYS))}"
        )
    for key in ("unit", "run", "sweep", "figure", "scene", "page"):
        if not isinstance(row.get(key, ""), str):
            raise refuse(f"{key} must be text")
    run, sweep = row.get("run"), row.get("sweep")
    if bool(run) == bool(sweep):
        raise refuse("name the run or the sweep that it speaks of, one of the two")
    images = tuple(_numbers(row.get("images", []), refuse, "images"))
    betas = tuple(_numbers(row.get("betas", []), refuse, "betas"))
    if any(image != int(image) or image < 1 for image in images) or (images and not run):
        raise refuse("images are numbers of the run's pictures, from 1")
    if bool(betas) != bool(sweep) or any(beta < 0 for beta in betas):
        raise refuse("betas go with a sweep, and name at least one of its models")
    page = row.get("page", PAGES[0])
    if page not in PAGES or (page != PAGES[0] and (sweep or images)):
        raise refuse("page is explore, or consultation for a run as a whole")
    figure, answers = row.get("figure"), tuple(_numbers(row.get("answer", []), refuse, "answer"))
    if bool(figure) == bool(answers):
        raise refuse("state either the figure that is asked for or the answer")
    known = IMAGE_FIGURES if images else MODEL_FIGURES
    if figure and figure not in known:
        raise refuse(f"figure is one of {', '.join(known)}, not {figure}")
    if answers and len(answers) != max(len(images), len(betas), 1):
        raise refuse("answer needs one number for each image or β, in their order")
    tolerance, is_relative = _read_tolerance(row, refuse)
    number = row.get("seed", seed)
    if not isinstance(number, int) or isinstance(number, bool):
        raise refuse("seed must be a whole number")
    return Question(
        id=name, ask=_read_words(row.get("ask"), refuse), unit=row.get("unit", ""), run=run,
        sweep=sweep, images=tuple(int(image) for image in images), betas=betas, figure=figure,
        answers=answers, tolerance=tolerance, is_relative=is_relative, seed=number, page=page,
        scene=row.get("scene", ""),
    )  # fmt: skip


def _read_words(words: Any, refuse: Any) -> dict[str, str]:
    by_language = {"en": words} if isinstance(words, str) else words
    if (
        not isinstance(by_language, dict)
        or not by_language
        or not set(by_language) <= set(LANGUAGES)
        or not all(isinstance(text, str) and text.strip() for text in by_language.values())
    ):
        raise refuse(f"ask is the question, or a table of it by {', '.join(LANGUAGES)}")
    return {language: text.strip() for language, text in by_language.items()}


def _read_tolerance(row: Mapping[str, Any], refuse: Any) -> tuple[float, bool]:
    given = [key for key in ("tolerance", "relative") if key in row]
    if len(given) != 1:
        raise refuse("give tolerance, in the unit of the answer, or relative, such as 0.02")
    found = _numbers(row[given[0]], refuse, given[0])
    if len(found) != 1 or found[0] < 0:
        raise refuse(f"{given[0]} is one number, at least 0")
    return found[0], given[0] == "relative"


def _numbers(value: Any, refuse: Any, key: str) -> list[float]:
    values = value if isinstance(value, list) else [value]
    are_numbers = all(
        isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one)
        for one in values
    )
    if not are_numbers or len(values) > MAX_VARIANTS:
        raise refuse(f"{key} takes numbers, at most {MAX_VARIANTS}")
    return [float(one) for one in values]
