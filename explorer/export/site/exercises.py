"""The page of a sheet of exercises: questions and where they lead, never what is right."""

import html
import json
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from explorer.errors import ExplorerError
from explorer.export.exercises.figures import find_run
from explorer.export.exercises.sheet import Question, Sheet
from explorer.export.site.shells import Place, frame_page, slug
from explorer.library import Library
from explorer.text import say

PATH = "exercises.html"


def exercise_page(
    place: Place, languages: Sequence[str], sheet: Sheet, pages: Sequence[Sequence[str]]
) -> str:
    """Return the page of a sheet; `pages` are the paths that each question's variants speak of."""
    asked = {
        "sheet": sheet.id,
        "questions": [
            _describe(question, found, place)
            for question, found in zip(sheet.questions, pages, strict=True)
        ],
    }
    held = html.escape(json.dumps(asked, ensure_ascii=False), quote=True)
    waiting = html.escape(say(place.language, "site.waiting"))
    body = f'<div id="exercises" data-sheet="{held}"><p class="waiting">{waiting}</p></div>'
    title = say(place.language, "site.exercises_title")
    return frame_page(
        place, languages, title, title, body, ("exercises.js",), "exercises", "site.exercises_lede"
    )


def find_pages(sheet: Sheet, library: Library, files: Collection[str]) -> list[list[str]]:
    """Return the path of the page that each variant of each question speaks of.

    ExplorerError where a site of these `files` has no such page.
    """
    return [
        [_find_page(question, variant, library, files) for variant in range(question.variants)]
        for question in sheet.questions
    ]


def _find_page(question: Question, variant: int, library: Library, files: Collection[str]) -> str:
    refuse = partial("Question {}: {}".format, question.id)
    run = find_run(question, variant, library)
    if question.sweep:
        path, lack = f"sweeps/{slug(question.sweep)}/index.html", f"--sweep {question.sweep}"
    elif question.images:
        number = question.images[variant]
        path, lack = f"models/{slug(run.id)}/lens-{number}.html", f"--lens {max(question.images)}"
    else:
        name = "consultation" if question.page == "consultation" else "index"
        path, lack = f"models/{slug(run.id)}/{name}.html", f"the run {question.run}"
    if path not in files:
        raise ExplorerError(refuse(f"this site has no page for it; it needs {lack}."))
    return path


def _describe(question: Question, pages: Sequence[str], place: Place) -> dict[str, Any]:
    variants = [
        {"values": _values(question, variant), "page": f"{place.home}{page}{_scene(question)}"}
        for variant, page in enumerate(pages)
    ]
    return {
        "id": question.id,
        "ask": question.say(place.language),
        "unit": question.unit,
        "seed": question.seed,
        "variants": variants,
    }


def _values(question: Question, variant: int) -> dict[str, float]:
    if question.images:
        return {"image": question.images[variant]}
    return {"beta": question.betas[variant]} if question.betas else {}


def _scene(question: Question) -> str:
    """Return what goes behind a page's address: the lens has its scene in the query."""
    if question.page == "consultation":
        return ""
    if question.images:
        return "?embed=1" + (f"&{question.scene}" if question.scene else "")
    return "?embed=1" + (f"#{question.scene}" if question.scene else "")
