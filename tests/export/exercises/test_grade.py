"""Marks: who answered what, which lines were passed over, and answers that the library computes."""

import json

import numpy as np
import pytest

from explorer.analysis.inference.likelihood import estimate_log_px
from explorer.cli import main
from explorer.elbo.encoding import draw_targets
from explorer.errors import ExplorerError
from explorer.export.exercises.figures import Answers
from explorer.export.exercises.grade import describe_marks, grade_lines
from explorer.export.exercises.lines import write_line
from explorer.export.exercises.sheet import read_sheet
from explorer.export.pictures import find_pictures
from explorer.library import Library
from explorer.runs.store import open_run

SHEET = """
sheet = "week-3"
[[questions]]
id = "a"
run = "digits-2d"
answer = 2
tolerance = 0.1
ask = "Two?"
[[questions]]
id = "b"
sweep = "mnist-beta-sweep"
betas = [22, 34]
answer = [10, 20]
tolerance = 0
ask = "β = {beta}?"
"""


def read(folder, text):
    (folder / "sheet.toml").write_text(text, encoding="utf-8")
    return read_sheet(folder / "sheet.toml")


def test_right_wrong_missing_twice_and_unreadable(tmp_path):
    sheet = read(tmp_path, SHEET)
    due = {name: [10, 20][sheet.questions[1].variant_of(name)] for name in ("Ada", "李雷")}
    lines = [
        "Name,Answer",
        write_line("week-3", "Ada", {"a": "2.1", "b": "0"}),
        "",
        write_line("week-3", "李雷", {"b": str(due["李雷"])}),
        write_line("week-2", "Ada", {"a": "2"}),
        write_line("week-3", "ada", {"a": "2.3", "b": str(due["Ada"])})[:-4],
        write_line("week-3", "ＡＤＡ", {"a": "2.3"}),
    ]
    marks = grade_lines(sheet, "\n".join(lines), Answers(Library()))
    states = {name: [mark.state for mark in row.values()] for name, row in marks.students.items()}
    assert states == {"ＡＤＡ": ["wrong", "missing"], "李雷": ["missing", "right"]}
    assert marks.repeated == {"ＡＤＡ": [2, 7]}
    assert marks.header == 1 and list(marks.unread) == [5, 6] and "week-2" in marks.unread[5]
    told = "\n".join(describe_marks(marks))
    assert "wrong: 2.3, not 2" in told and "1 of 2" in told and "! line 6: cut or changed" in told


def test_a_first_line_is_a_header_unless_it_was_an_answer(tmp_path):
    sheet, answers = read(tmp_path, SHEET), Answers(Library())
    whole = write_line("week-3", "Ada", {"a": "2"})
    for text, header, unread in (
        (f"\nTime,Name,Line\n{whole}", 2, []),
        (f"Line\nnothing\n{whole}", 1, [2]),
        (f"Ada: a=2\n{whole}", None, [1]),
        (f"{whole}\nTime,Name", None, [2]),
    ):
        marks = grade_lines(sheet, text, answers)
        assert (marks.header, list(marks.unread)) == (header, unread)
        assert list(marks.students) == ["Ada"]


def ask(folder, figure, more):
    text = f'sheet = "s"\n[[questions]]\nid = "q"\nask = "?"\ntolerance = 0\nfigure = "{figure}"\n'
    return read(folder, text + more).questions[0]


def test_figures_of_an_image_are_the_identity_and_agree_with_sampling(tmp_path):
    names = ("exact_log_likelihood", "elbo", "gap", "kl", "reconstruction")
    answers, more = Answers(Library()), 'run = "digits-2d"\nimages = [2]\n'
    found = {name: answers.answer(ask(tmp_path, name, more), 0) for name in names[:1]}
    for name in names[1:]:
        found[name] = Answers(Library()).answer(ask(tmp_path, name, more), 0)
    assert found["exact_log_likelihood"] == pytest.approx(found["elbo"] + found["gap"], abs=1e-6)
    assert found["elbo"] == pytest.approx(-found["reconstruction"] - found["kl"], abs=1e-6)
    run = open_run("digits-2d")
    pictures = find_pictures(run, Library().images_of(run))
    assert pictures is not None
    x = draw_targets(run.model, pictures.images[1:2])
    sampled = estimate_log_px(run.model, x, samples=5000)
    error = 4 * float(sampled.standard_error[0]) + 1e-3
    assert found["exact_log_likelihood"] == pytest.approx(float(sampled.log_px[0]), abs=error)


def test_figures_of_a_model_are_counted_in_its_codes_and_read_from_its_test(tmp_path):
    sweep = Library().sweeps()["mnist-beta-sweep"]
    more = 'sweep = "mnist-beta-sweep"\nbetas = [1, 28, 40]\n'
    question, answers = ask(tmp_path, "active_units", more), Answers(Library())
    for place, beta in enumerate(question.betas):
        run = next(run for run in sweep.runs().values() if run.info.beta == beta)
        codes = run.codes()
        assert codes is not None
        moving = np.asarray(codes.mean, float).var(0, ddof=1) > 0.01
        assert answers.answer(question, place) == moving.sum()
    elbo = Answers(Library()).answer(ask(tmp_path, "elbo", 'run = "mnist-2d"\n'), 0)
    assert elbo == open_run("mnist-2d").info.results["test"]["elbo"]


@pytest.mark.parametrize(
    ("figure", "more", "said"),
    [
        ("kl", 'run = "strokes-vq"\n', "no measured kl"),
        ("gap", 'run = "digits-2d"\nimages = [100000]\n', "no picture 100000"),
        ("kl", 'sweep = "mnist-beta-sweep"\nbetas = [5]\n', "no model of β = 5"),
        ("kl", 'sweep = "nothing"\nbetas = [5]\n', "no sweep nothing"),
    ],
)
def test_what_cannot_be_computed_is_told(tmp_path, figure, more, said):
    with pytest.raises(ExplorerError, match=said):
        Answers(Library()).answer(ask(tmp_path, figure, more), 0)


def test_the_command_prints_a_table_or_json(tmp_path, capsys):
    sheet, answers = read(tmp_path, SHEET), tmp_path / "answers.csv"
    answers.write_text("\ufeff" + write_line(sheet.id, "Ada", {"a": "2"}), encoding="utf-8")
    command = ["grade", str(answers), "--exercises", str(tmp_path / "sheet.toml")]
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["students"][0]["name"] == "Ada" and told["students"][0]["right"] == 1
    assert main(command) == 0
    assert "Ada" in capsys.readouterr().out
    answers.write_bytes("Ada Lovelace\u2019s".encode("utf-16"))
    assert main(command) == 2
    assert "not UTF-8" in capsys.readouterr().err
