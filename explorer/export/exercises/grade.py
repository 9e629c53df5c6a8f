"""Lines of students → marks: right, wrong or missing for each question, and what was unreadable."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from explorer.export.exercises.figures import Answers
from explorer.export.exercises.lines import Line, read_line
from explorer.export.exercises.sheet import Question, Sheet

RIGHT, WRONG, MISSING = "right", "wrong", "missing"
WHY = {
    "none": "no line of an exercise",
    "changed": "cut or changed after the page made it",
}


@dataclass(frozen=True)
class Mark:
    """One answer of one student: what was given, what was due, and what that makes."""

    state: str
    given: float | None
    due: float


@dataclass
class Marks:
    """What was found in a file; lines are numbered from 1."""

    sheet: Sheet
    students: dict[str, dict[str, Mark]] = field(default_factory=dict)
    """By name, then by question; the last line of a name counts."""
    repeated: dict[str, list[int]] = field(default_factory=dict)
    """Names with more than one line, and which lines."""
    unread: dict[int, str] = field(default_factory=dict)
    """Why a line was passed over."""
    header: int | None = None
    """The first line where it names columns, as tables of forms do."""

    def count(self, name: str) -> int:
        """Return how many of a student's answers are right."""
        return sum(mark.state == RIGHT for mark in self.students[name].values())

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values."""
        return {
            "sheet": self.sheet.id,
            "questions": [question.id for question in self.sheet.questions],
            "students": [
                {
                    "name": name,
                    "right": self.count(name),
                    "answers": {key: vars(mark) for key, mark in marks.items()},
                }
                for name, marks in self.students.items()
            ],
            "repeated": self.repeated,
            "header": self.header,
            "unread": {str(number): why for number, why in self.unread.items()},
        }


def grade_lines(sheet: Sheet, text: str, answers: Answers) -> Marks:
    """Return the marks for the lines of a file, empty ones aside.

    Names are one student's where they differ in case or width alone. A first line that is
    no answer and holds no "=", as every answer does, is the table's header. ExplorerError where a
    run cannot tell its answer.
    """
    marks = Marks(sheet)
    lines: dict[str, list[tuple[int, Line]]] = {}
    is_first = True
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        found = read_line(row)
        if found == "none" and is_first and "=" not in row:
            marks.header = number
        elif isinstance(found, str):
            marks.unread[number] = WHY[found]
        elif found.sheet != sheet.id:
            marks.unread[number] = f"of the sheet {found.sheet}"
        else:
            lines.setdefault(_fold(found.name), []).append((number, found))
        is_first = False
    for said in lines.values():
        last = said[-1][1]
        marks.students[last.name] = {
            question.id: _mark(question, last, answers) for question in sheet.questions
        }
        if len(said) > 1:
            marks.repeated[last.name] = [number for number, _ in said]
    return marks


def describe_marks(marks: Marks) -> list[str]:
    """Return a table in lines of text, and below it what must be known about it."""
    ids = [question.id for question in marks.sheet.questions]
    rows = [["student", *ids, "right"]]
    for name in sorted(marks.students, key=_fold):
        found = marks.students[name]
        states = [_say(found[key]) for key in ids]
        rows.append([name, *states, f"{marks.count(name)} of {len(ids)}"])
    lines = _align(rows)
    for name, numbers in marks.repeated.items():
        said = ", ".join(map(str, numbers))
        lines.append(f"! {name} has lines {said}: the last one counts")
    if marks.header is not None:
        lines.append(f"line {marks.header}: taken as the table's header")
    lines += [f"! line {number}: {why}" for number, why in marks.unread.items()]
    return lines


def _mark(question: Question, line: Line, answers: Answers) -> Mark:
    due = answers.answer(question, question.variant_of(line.name))
    if question.id not in line.numbers:
        return Mark(MISSING, None, due)
    given = line.numbers[question.id]
    is_right = given is not None and question.accepts(given, due)
    return Mark(RIGHT if is_right else WRONG, given, due)


def _say(mark: Mark) -> str:
    if mark.state != WRONG:
        return mark.state
    given = "no number" if mark.given is None else f"{mark.given:g}"
    return f"wrong: {given}, not {mark.due:.5g}"


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
