"""Anyone's codes judged: what must be said comes first, and nothing is asked that is not needed."""

import json

import numpy as np
import pytest

from explorer import cli
from explorer.analysis.codes_in import result
from explorer.analysis.collapse.diagnosis import Diagnosis
from explorer.analysis.collapse.judged import judge_file, score_labels
from explorer.analysis.collapse.timeline import Event, find_events
from tests.analysis.codes_in.makers import make_codes, rate_of
from tests.helpers import present


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def verdicts(judged):
    assert isinstance(judged.diagnosis, Diagnosis)
    return [dimension.verdict for dimension in judged.diagnosis.dimensions]


def test_codes_with_their_usual_names_are_judged(tmp_path):
    mean, logvar = make_codes()
    judged = judge_file(save(tmp_path / "codes.npz", z_mean=mean, z_log_var=logvar))
    assert verdicts(judged) == ["active"] * 4 + ["collapsed"] * 6
    assert judged.to_dict()["rate"] == pytest.approx(rate_of(mean, logvar), rel=1e-5)
    assert judged.to_dict()["told"] == []


def test_codes_over_steps_are_a_timeline_and_the_last_step_is_judged(tmp_path):
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(3, 400, 2)) * np.array([[[0.95, 0.9]], [[0.95, 0.0]], [[0.95, 0.0]]])
    logvar = np.log([[[0.1, 0.2]], [[0.1, 1.0]], [[0.1, 1.0]]]) + np.zeros((3, 400, 2))
    path = save(tmp_path / "codes.npz", mean=mean, logvar=logvar, steps=np.array([0, 100, 200]))
    judged = judge_file(path)
    expected = (0.5 * (np.exp(logvar[0]) - 1 - logvar[0] + mean[0] ** 2)).mean(0)
    assert judged.codes.kl_per_dim[0] == pytest.approx(expected)
    assert find_events(judged.codes.steps, judged.codes.kl_per_dim) == [Event(1, 100, "died")]
    assert [point["step"] for point in judged.codes.points()] == [0, 100, 200]
    assert verdicts(judged) == ["active", "collapsed"]


def test_a_variance_called_logvar_is_said_first_and_read_right_when_asked(tmp_path):
    mean, logvar = make_codes()
    path = save(tmp_path / "codes.npz", mean=mean, logvar=np.exp(logvar))
    first = judge_file(path).to_dict()["told"][0]
    assert (first["code"], first["values"]["option"]) == ("spread_contradicted", "variance")
    read = judge_file(path, spread="variance")
    assert read.to_dict()["rate"] == pytest.approx(rate_of(mean, logvar), rel=1e-4)


def test_means_alone_get_what_means_can_tell(tmp_path):
    mean, _ = make_codes()
    np.save(tmp_path / "codes.npy", mean)
    values = judge_file(tmp_path / "codes.npy").to_dict()
    assert (values["state"], values["active_units"], values["rate"]) == ("means_alone", 4, None)
    # Four independent dimensions of one variance fill four directions.
    assert values["covariance_dimensions"] == pytest.approx(4, abs=0.1)
    assert [row["verdict"] for row in values["dimensions"]] == ["moving"] * 4 + ["constant"] * 6


def test_a_dimension_keeps_its_name_where_others_are_left_out(tmp_path):
    mean, logvar = make_codes()
    mean[:, 1] = np.nan
    path = save(tmp_path / "codes.npz", mean=mean, logvar=logvar)
    rows = judge_file(path).to_dict()["dimensions"]
    assert [row["dimension"] for row in rows] == [0, *range(2, 10)]


def test_wholly_collapsed_codes_have_no_effective_dimensions(tmp_path):
    mean, logvar = make_codes(alive=0)
    values = judge_file(save(tmp_path / "codes.npz", mean=mean, logvar=logvar)).to_dict()
    assert (values["state"], values["effective_dimensions"]) == ("collapsed", 0.0)


def test_of_very_many_codes_some_are_judged_and_that_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(result, "JUDGED_VALUES", 25_000)
    mean, logvar = make_codes(4000)
    judged = judge_file(save(tmp_path / "codes.npz", mean=mean, logvar=logvar))
    assert judged.diagnosis.images == 2500
    assert [str(told) for told in judged.told] == ["2,500 of 4,000 rows are judged, evenly spread."]


# Labels


def clusters(path, labels=None, count=200):
    """Return two clusters, ten apart, with labels of the same or of one's own making."""
    rng = np.random.default_rng(0)
    which = np.arange(count) % 2
    mean = rng.normal(size=(count, 2)) + 10.0 * which[:, None]
    arrays = {"mean": mean, "logvar": np.full((count, 2), -3.0)}
    if labels is not None:
        arrays["labels"] = labels(which) if callable(labels) else labels
    return judge_file(save(path, **arrays))


@pytest.mark.parametrize(
    "labels, names",
    [
        (lambda which: which, ("0", "1")),
        (lambda which: 7 - 4 * which, ("3", "7")),
        (lambda which: np.array(["cat", "dog"])[which], ("cat", "dog")),
        (lambda which: np.eye(2)[which], ("0", "1")),
        (lambda which: which[:, None], ("0", "1")),
    ],
)
def test_neighbours_tell_labels_of_any_kind(tmp_path, labels, names):
    judged = clusters(tmp_path / "codes.npz", labels)
    found = present(judged.score)
    assert judged.codes.class_names == names
    assert (found.accuracy, found.standard_error) == (1.0, 0.0)
    assert (found.images, found.neighbours, found.largest_class) == (200, 15, 0.5)


def test_labels_without_meaning_are_told_by_chance_alone(tmp_path):
    random = np.random.default_rng(1).integers(0, 2, 2000)
    found = present(clusters(tmp_path / "codes.npz", random, 2000).score)
    assert abs(found.accuracy - 0.5) < 4 * found.standard_error + 0.02


def test_without_labels_or_with_one_class_there_is_no_score(tmp_path):
    assert clusters(tmp_path / "none.npz").score is None
    assert clusters(tmp_path / "one.npz", lambda which: which * 0).score is None
    few = clusters(tmp_path / "few.npz", lambda which: which, 4).codes
    assert present(score_labels(few)).neighbours == 3


@pytest.mark.parametrize(
    "labels", [np.arange(200), np.linspace(0, 1, 200), np.array([{}] * 200, object), np.zeros(7)]
)
def test_labels_never_block(tmp_path, labels):
    judged = clusters(tmp_path / "codes.npz", labels)
    assert verdicts(judged) and judged.score is None and judged.told


# The command line


def run(capsys, *arguments):
    code = cli.main(["diagnose", *arguments])
    found = capsys.readouterr()
    return code, found.out, found.err


def test_the_command_line_says_doubts_first_and_json_has_the_same(tmp_path, capsys):
    mean, logvar = make_codes()
    path = str(save(tmp_path / "codes.npz", mean=mean, logvar=np.exp(logvar)))
    code, out, _ = run(capsys, "--codes", path)
    assert code == 0 and out.startswith("! logvar is hardly log-variance")
    code, out, _ = run(capsys, "--codes", path, "--json")
    assert json.loads(out) == judge_file(path).to_dict()
    _, out, _ = run(capsys, "--codes", path, "--spread", "variance")
    assert out.startswith("4 of 10 units active, 4.00 effective dimensions")


def test_grids_are_asked_about_and_then_judged(tmp_path, capsys):
    rng = np.random.default_rng(0)
    mean, logvar = rng.normal(size=(40, 3, 4, 4)), np.full((40, 3, 4, 4), -4.0)
    path = str(save(tmp_path / "codes.npz", mean=mean, logvar=logvar))
    code, _, err = run(capsys, "--codes", path)
    assert code == 2 and "--axes NCHW for 40 items of 3 latents at 16 positions" in err
    code, out, _ = run(capsys, "--codes", path, "--axes", "NCHW")
    assert code == 0 and "of 3 units active" in out and "of 640 items" in out
    code, out, _ = run(capsys, "--codes", path, "--axes", "NCHW", "--per", "position")
    assert code == 0 and "of 48 units active" in out


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ((), "either a run or --codes"),
        (("mnist-2d", "--axes", "NK"), "go with --codes"),
        (("--codes", "nothing.npz"), "cannot be opened"),
        (("--codes", "{path}", "--spread", "variance"), "cannot be variance"),
        (("--codes", "{path}", "--axes", "NQ"), "do not fit"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, capsys, arguments, sentence):
    mean, logvar = make_codes(100)
    path = str(save(tmp_path / "codes.npz", mean=mean, logvar=logvar))
    code, out, err = run(capsys, *(word.format(path=path) for word in arguments))
    assert (code, out) == (2, "") and sentence in err and err.count("\n") == 1


# Columns


def save_planted(path, count=2000):
    """Save codes whose third dimension follows n_genes and whose first tells the batch."""
    rng = np.random.default_rng(0)
    mean, logvar = make_codes(count)
    batch = np.arange(count) % 2
    mean[:, 0] = 2.0 * batch + rng.normal(size=count)
    arrays = {
        "n_genes": np.exp(mean[:, 2] + rng.normal(size=count)),
        "noise": rng.normal(size=count),
        "batch": np.array(["a", "b"])[batch],
    }
    return save(path, mean=mean, logvar=logvar, **arrays)


def test_columns_are_matched_with_the_dimensions_that_follow_them(tmp_path):
    found = judge_file(save_planted(tmp_path / "codes.npz")).to_dict()["columns"]
    by_name = {column["name"]: column for column in found}
    passing = {
        name: column["best"][0]["dimension"] for name, column in by_name.items() if column["passes"]
    }
    assert passing == {"n_genes": 2, "batch": 0}
    # Two classes two apart of spread 1: half of the variance lies between them.
    assert by_name["batch"]["best"][0]["value"] == pytest.approx(0.5, abs=0.04)


def test_the_command_line_has_a_line_for_each_column_that_is_followed(tmp_path, capsys):
    _, out, _ = run(capsys, "--codes", str(save_planted(tmp_path / "codes.npz")))
    lines = out.splitlines()[-3:]
    assert lines[0].startswith("columns that a dimension follows: 2 of 3 (p < .01 for all")
    assert lines[1].startswith("  n_genes: z₃ (ρ = .") and lines[2].startswith("  batch: z₁ (η² =")


def test_labels_are_a_column_too(tmp_path):
    words = clusters(tmp_path / "codes.npz", lambda which: np.array(["cat", "dog"])[which])
    (found,) = words.columns
    assert (found.name, found.measure, len(found.passing)) == ("labels", "eta2", 2)


def test_six_items_are_told_to_be_too_few_and_each_doubt_has_its_reasons(tmp_path, capsys):
    mean = np.random.default_rng(0).normal(size=(6, 2))
    np.savez(tmp_path / "six.npz", mean=mean, logvar=np.full((6, 2), -2.0))
    assert cli.main(["diagnose", "--codes", str(tmp_path / "six.npz")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "! 6 items are too few for a verdict: at least 30 are needed."
    assert "uncertain: too few images, kl high" in lines[2]
    assert not any("follow the prior" in line for line in lines)
