"""A sheet of exercises: what a file may say, and every mistake in one sentence."""

from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.export.exercises.sheet import read_sheet

GOOD = """
sheet = "week-3"
seed = 7

[[questions]]
id = "gap"
run = "mnist-2d"
images = [1, 2, 3]
figure = "gap"
tolerance = 0.05
ask = "How large is the gap of image {image}?"

[[questions]]
id = "pages"
run = "mnist-2d"
answer = 200
relative = 0.1
seed = 8
[questions.ask]
zh-Hans = "多少？"
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="sheet.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_sheet_is_read_whole(write):
    sheet = read_sheet(write(GOOD))
    gap, pages = sheet.questions
    assert (sheet.id, gap.images, gap.variants, gap.seed) == ("week-3", (1, 2, 3), 3, 7)
    assert (pages.answers, pages.variants, pages.seed) == ((200.0,), 1, 8)
    assert gap.say("zh-Hans").startswith("How") and pages.say("en") == "多少？"


def test_near_enough_is_absolute_or_relative(write):
    gap, pages = read_sheet(write(GOOD)).questions
    assert gap.accepts(1.05, 1.0) and not gap.accepts(1.06, 1.0)
    assert pages.accepts(-180, -200) and not pages.accepts(-179, -200)


def test_seed_and_name_choose_the_variant_and_every_variant_is_met(write):
    gap = read_sheet(write(GOOD)).questions[0]
    names = [f"student {i}" for i in range(300)]
    counts = [sum(gap.variant_of(name) == place for name in names) for place in range(3)]
    assert min(counts) > 70  # Of 100 expected; 70 is more than three standard deviations below.
    other = read_sheet(write(GOOD.replace("seed = 7", "seed = 9"))).questions[0]
    assert any(gap.variant_of(name) != other.variant_of(name) for name in names)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('sheet = "week-3"', "", "needs a line such as: sheet"),
        ('id = "pages"', 'id = "gap"', "two questions of one id"),
        ('id = "gap"', 'id = "=gap"', "Question 1 needs an id"),
        ('run = "mnist-2d"\nimages', 'run = "mnist-2d"\nsweep = "s"\nimages', "one of the two"),
        ("images = [1, 2, 3]", "images = [0]", "from 1"),
        ("images = [1, 2, 3]", "betas = [1]", "betas go with a sweep"),
        ('figure = "gap"', 'figure = "gapp"', "figure is one of exact_log_likelihood"),
        ('figure = "gap"', 'figure = "gap"\nanswer = 3', "either the figure"),
        ('figure = "gap"', "answer = [1, 2]", "one number for each image"),
        ("tolerance = 0.05", "", "give tolerance"),
        ("tolerance = 0.05", "tolerance = -1", "at least 0"),
        ("tolerance = 0.05", "tolerance = nan", "takes numbers"),
        ("tolerance = 0.05", "tolerance = 0.05\npoints = 3", "points is not known"),
        ('zh-Hans = "多少？"', 'fr = "combien ?"', "ask is the question"),
        ("seed = 8", 'seed = "x"', "seed must be a whole number"),
        ("[[questions]]", "[[question]]", "tables [[questions]]"),
        ("seed = 7", "seed = ", "is no TOML"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(write, old, new, said):
    with pytest.raises(ExplorerError) as error:
        read_sheet(write(GOOD.replace(old, new)))
    assert said in str(error.value)


def test_yaml_is_told_what_to_be(write):
    with pytest.raises(ExplorerError, match="write the exercises as TOML"):
        read_sheet(write("sheet: week-3", "sheet.yaml"))


def test_the_example_is_a_sheet():
    root = Path(__file__).parents[3]
    assert len(read_sheet(root / "examples" / "exercises.toml").questions) == 2
