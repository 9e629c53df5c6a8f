"""Limits: a table in a file, options over it, and one sentence for what is none."""

import pytest

from explorer.errors import ExplorerError
from explorer.visitors.limits import NAMES, Limits, read_limits


def test_options_go_before_the_file_and_the_file_before_what_is_usual(tmp_path):
    (tmp_path / "class.toml").write_text("[limits]\nruns = 5\nseconds = 60\n", encoding="utf-8")
    limits = read_limits(tmp_path / "class.toml", ["seconds=30", "days=7"])
    assert (limits.runs, limits.seconds, limits.days) == (5, 30, 7)
    assert limits.waiting == Limits().waiting


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("seconds", "NAME=NUMBER"),
        ("seconds=many", "NAME=NUMBER"),
        ("hours=2", "no limit 'hours'"),
        ("seconds=0", "above 0"),
        ("runs=nan", "above 0"),
        ("runs=inf", "above 0"),
    ],
)
def test_what_is_no_limit_is_refused(option, reason):
    with pytest.raises(ExplorerError, match=reason):
        read_limits(options=[option])


@pytest.mark.parametrize(
    "written", ["", "runs = 5", "[limits]\nruns = true", "[limits]\nruns = 'a'", "[lim", "\xff"]
)
def test_a_file_without_a_table_of_limits_is_refused(tmp_path, written):
    (tmp_path / "class.toml").write_text(written, encoding="latin-1")
    with pytest.raises(ExplorerError):
        read_limits(tmp_path / "class.toml")


def test_every_limit_has_its_name_in_the_file():
    assert read_limits(options=[f"{name}=3" for name in NAMES]) == Limits(*[3.0] * len(NAMES))
