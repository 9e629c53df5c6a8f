"""Mark the lines that students pasted, against the exercises of a site."""

import argparse
from pathlib import Path

from explorer.commands.options import AS_JSON, DATA_ROOT, Commands
from explorer.commands.output import report
from explorer.errors import ExplorerError
from explorer.files import read_limited

LARGEST_ANSWERS = 20_000_000


def add_grade(commands: Commands) -> None:
    """Add `grade` and its options."""
    grade = commands.add_parser(
        "grade",
        help="mark the lines that a site's exercises gave students",
        parents=[AS_JSON, DATA_ROOT],
    )
    grade.add_argument("answers", metavar="ANSWERS", help="a text or CSV file of their lines")
    grade.add_argument(
        "--exercises", metavar="FILE", required=True, help="the questions that the site has"
    )
    grade.set_defaults(command=grade_answers)


def grade_answers(options: argparse.Namespace) -> None:
    """Print a table of students and questions, and which lines were passed over."""
    from explorer.export.exercises.figures import Answers
    from explorer.export.exercises.grade import describe_marks, grade_lines
    from explorer.export.exercises.sheet import read_sheet
    from explorer.library import Library

    sheet = read_sheet(options.exercises)
    try:
        text = read_limited(Path(options.answers), LARGEST_ANSWERS).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ExplorerError(f"{options.answers} is not UTF-8: save the table so.") from None
    marks = grade_lines(sheet, text, Answers(Library(data_root=options.data_root)))
    report(options.json, marks.to_dict(), "\n".join(describe_marks(marks)))
