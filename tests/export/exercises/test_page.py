"""The page of a sheet leads to what it speaks of, hides what is right, writes what is graded."""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.export.exercises.lines import read_line, write_line
from explorer.export.exercises.sheet import Question, Sheet
from explorer.export.site.build import build_site
from explorer.library import Library
from explorer.runs.store import open_run

SCRIPT = Path(__file__).parents[2] / "js" / "line.test.mjs"


def question(**changed):
    values = {
        "id": "gap", "ask": {"en": "Image {image} < 3?"}, "unit": "nats", "run": "digits-2d",
        "sweep": None, "images": (1, 2), "betas": (), "figure": None, "answers": (123.4, 567.8),
        "tolerance": 0.0625, "is_relative": False, "seed": 7, "page": "explore",
        "scene": "q=0,0,1,1,0",
    }  # fmt: skip
    return Question(**{**values, **changed})


WHOLE = Sheet(
    "week-3",
    (
        question(),
        question(id="map", images=(), answers=(91.5,), scene="z=1,-1"),
        question(id="why", images=(), answers=(2,), page="consultation", scene=""),
    ),
)


@pytest.fixture(scope="module")
def site():
    runs, languages = [open_run("digits-2d")], ("en", "zh-Hans")
    return build_site(runs, Library(), languages=languages, lenses=2, exercises=WHOLE)


def asked(page):
    held = re.search(r'data-sheet="([^"]*)"', page.decode())
    assert held is not None
    return json.loads(html.unescape(held.group(1)))


@pytest.mark.parametrize("path", ["exercises.html", "zh-Hans/exercises.html"])
def test_questions_lead_to_their_pages_with_the_scene(site, path):
    pages = [[v["page"] for v in q["variants"]] for q in asked(site.files[path])["questions"]]
    folder = "models/digits-2d"
    assert pages == [
        [f"{folder}/lens-{n}.html?embed=1&q=0,0,1,1,0" for n in (1, 2)],
        [f"{folder}/index.html?embed=1#z=1,-1"],
        [f"{folder}/consultation.html"],
    ]
    root = path.rpartition("/")[0]
    for page in sum(pages, []):
        assert f"{root}/{re.split('[?#]', page)[0]}".lstrip("/") in site.files


def test_the_site_holds_neither_answers_nor_tolerances(site):
    for path, content in site.files.items():
        if "exercises" in path:
            assert not re.search(rb"123\.4|567\.8|91\.5|0\.0625|tolerance", content), path


def test_the_start_page_names_the_exercises(site):
    assert b'<a href="exercises.html">Exercises (3)</a>' in site.files["index.html"]


def test_a_question_about_a_page_that_is_not_there_says_what_the_site_needs():
    sheet = Sheet("week-3", (question(images=(3,), answers=(1,)),))
    with pytest.raises(ExplorerError, match="Question gap.*needs --lens 3"):
        build_site([open_run("digits-2d")], Library(), lenses=1, exercises=sheet)


def test_the_browser_writes_what_grade_reads():
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed.")
    numbers = [["gap", "-3.42"], ["map", "2"]]
    cases = [
        {
            "sheet": "week-3",
            "name": name,
            "numbers": numbers,
            "line": write_line("week-3", name, dict(numbers)),
            "variant": question(images=(1, 2, 3, 4, 5)).variant_of(name),
        }
        for name in ("Ada Lovelace", "李雷", "Zoë 😀 O'Neil")
    ]
    assert all(not isinstance(read_line(case["line"]), str) for case in cases)
    environment = {**os.environ, "EXERCISE_CASES": json.dumps(cases)}
    done = subprocess.run(
        [node, "--test", str(SCRIPT)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert done.stdout.count("Python writes the same line") >= len(cases)
