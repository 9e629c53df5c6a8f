"""What people brought, with the right answer to each, and others of its kind."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from explorer.analysis.codes_in.axes import AxesNeeded
from explorer.analysis.codes_in.numbers import as_numbers
from explorer.analysis.codes_in.reading import read_any_codes
from explorer.analysis.codes_in.spread import as_logvar
from explorer.analysis.collapse.diagnose import diagnose_codes, diagnose_moments
from explorer.errors import ExplorerError
from tests.analysis.codes_in.makers import assert_near, make_codes, make_sequences, rate_of, save
from tests.helpers import present


def verdicts(codes):
    """Return how many dimensions are in use, and the rate."""
    found = diagnose_moments(*codes.judged())
    return found.in_use, found.information.rate


def told(codes):
    return [said.code for said in codes.told]


# A time axis: frames of sound are no training steps.


def test_frames_of_sound_are_asked_about_and_never_taken_for_steps(tmp_path):
    mean, logvar = make_sequences()
    path = save(tmp_path / "audio.npz", mean=mean, logvar=logvar)
    with pytest.raises(AxesNeeded) as asked:
        read_any_codes(path)
    assert [choice.axes for choice in asked.value.choices] == ["NKT", "NTK"]
    assert asked.value.likely == 1 and "axis 1 (of 64)" in str(asked.value)
    codes = read_any_codes(path, axes="NKT")
    assert codes.mean.shape == (320, 64)
    in_use, rate = verdicts(codes)
    assert in_use == 5 and rate == pytest.approx(11.5, abs=0.2)
    frames = [part.transpose(0, 2, 1).reshape(-1, 64) for part in (mean, logvar)]
    assert rate == pytest.approx(rate_of(*frames), rel=1e-6)
    assert codes.rows.tolist()[:17] == [0] * 16 + [1]


def test_whoever_adds_steps_to_frames_is_told_of_the_doubt(tmp_path):
    mean, logvar = make_sequences()
    path = save(tmp_path / "audio.npz", mean=mean, logvar=logvar, steps=np.arange(20))
    codes = read_any_codes(path)
    assert codes.mean.shape == (64, 16) and len(codes.steps) == 20
    assert told(codes)[0] == "axes_doubtful" and "--axes NKT" in str(codes.told[0])
    assert verdicts(read_any_codes(path, axes="NKT"))[0] == 5


def test_frames_before_latents_and_frames_of_one_latent(tmp_path):
    mean, logvar = make_sequences(alive=3, sigma=0.3)
    turned = save(
        tmp_path / "ntk.npz",
        mu=mean.transpose(0, 2, 1),
        std=np.exp(logvar.astype(float).transpose(0, 2, 1) / 2),
    )
    with pytest.raises(AxesNeeded) as asked:
        read_any_codes(turned)
    assert asked.value.likely == 2
    in_use, rate = verdicts(read_any_codes(turned, axes="NTK"))
    assert in_use == 3 and rate == pytest.approx(3 * -np.log(0.3), abs=0.15)
    one = save(tmp_path / "one.npz", mean=mean[:, :1], logvar=logvar[:, :1])
    assert verdicts(read_any_codes(one, axes="nkt"))[0] == 1


def test_a_real_training_has_no_doubt_about_its_axes(tmp_path):
    mean, logvar = make_codes(300, 6, 3)
    steps = np.stack([np.zeros_like(mean), mean, mean]), np.stack([0 * logvar, logvar, logvar])
    codes = read_any_codes(
        save(tmp_path / "t.npz", mean=steps[0], logvar=steps[1], steps=np.array([0, 10, 20]))
    )
    assert told(codes) == [] and codes.axes == "SNK"
    assert codes.kl_per_dim[0] == pytest.approx(np.zeros(6))
    assert codes.kl_per_dim[2].sum() == pytest.approx(rate_of(mean, logvar))
    assert [point["step"] for point in codes.points()] == [0, 10, 20]
    same = read_any_codes(tmp_path / "t.npz", axes="TNK")
    assert (same.steps == codes.steps).all()


# A variance given as a log-variance, and every other mistaking of one spread for another.

VALUES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "logvar": lambda lv: lv,
    "log_std": lambda lv: lv / 2,
    "std": lambda lv: np.exp(lv / 2),
    "variance": np.exp,
    "softplus": lambda lv: np.log(np.expm1(np.exp(lv / 2))),
}


@pytest.mark.parametrize(
    "given, better", [("variance", "variance"), ("std", "std"), ("softplus", "softplus")]
)
def test_a_contradicting_spread_is_said_first_with_the_better_reading(tmp_path, given, better):
    mean, logvar = make_codes()
    wrong = VALUES[given](logvar.astype(float)).astype(np.float32)
    path = save(tmp_path / "codes.npz", mean=mean, logvar=wrong)
    codes = read_any_codes(path)
    assert (present(codes.spread).verdict, present(codes.spread).better) == ("contradicted", better)
    assert f"--spread {better}" in str(codes.told[0])
    in_use, rate = verdicts(read_any_codes(path, spread=better))
    assert in_use == 4 and rate == pytest.approx(4 * -0.5 * np.log(0.05), abs=0.1)


def test_log_sigma_as_logvar_is_a_doubt_that_only_living_dimensions_show(tmp_path):
    mean, logvar = make_codes()
    path = save(tmp_path / "codes.npz", mean=mean, logvar=logvar / 2)
    codes = read_any_codes(path)
    assert (present(codes.spread).verdict, present(codes.spread).better) == ("doubtful", "log_std")
    assert verdicts(codes)[1] == pytest.approx(3.4, abs=0.1)  # what was seen
    assert verdicts(read_any_codes(path, spread="log_std"))[1] == pytest.approx(6.0, abs=0.1)
    asleep = save(tmp_path / "asleep.npz", mean=mean[:, 4:], logvar=logvar[:, 4:] / 2)
    assert present(read_any_codes(asleep).spread).verdict == "agrees"


@pytest.mark.parametrize(
    "name, given, verdict, better",
    [("var", "logvar", "impossible", "logvar"), ("sigma", "log_std", "impossible", "log_std"),
     ("sigma", "variance", "doubtful", "variance"), ("var", "std", "doubtful", "std"),
     ("log_std", "logvar", "doubtful", "logvar"), ("logvar", "std", "contradicted", "std"),
     ("raw_scale", "std", "contradicted", "std")],
)  # fmt: skip
def test_other_mistakings_of_the_kind(tmp_path, name, given, verdict, better):
    """With a third of the variance left, each wrong reading shows by more than .2."""
    mean, logvar = make_codes(4000, 8, 6, variance=0.35)
    values = VALUES[given](logvar.astype(float))
    codes = read_any_codes(save(tmp_path / "codes.npz", **{"mu": mean, name: values}))
    assert (present(codes.spread).verdict, present(codes.spread).better) == (verdict, better)
    again = read_any_codes(tmp_path / "codes.npz", spread=better)
    assert_near(again.logvar, logvar, 1e-4)


@pytest.mark.parametrize("name", VALUES)
def test_a_spread_called_what_it_is_raises_no_doubt(tmp_path, name):
    for seed, variance in enumerate((0.002, 0.05, 0.35, 0.8)):
        mean, logvar = make_codes(2000, 12, 5, variance, seed)
        given = {"softplus": "raw_scale"}.get(name, name)
        values = VALUES[name](logvar.astype(float))
        codes = read_any_codes(save(tmp_path / "codes.npz", **{"mean": mean, given: values}))
        assert (present(codes.spread).verdict, codes.told) == ("agrees", ())
        assert_near(codes.logvar, logvar, 1e-4)


# Codes on a grid.


def test_latent_diffusion_grids_are_asked_about_and_judged_per_channel_or_position(tmp_path):
    rng = np.random.default_rng(0)
    mean = (5.5 * rng.normal(size=(96, 4, 6, 6))).astype(np.float16)
    logvar = (-17 + rng.normal(size=(96, 4, 6, 6))).astype(np.float16)
    path = save(tmp_path / "grid.npz", mean=mean, logvar=logvar)
    with pytest.raises(AxesNeeded, match="--axes NCHW for 96 items of 4 latents at 36 positions"):
        read_any_codes(path)
    channels = read_any_codes(path, axes="NCHW")
    assert channels.mean.shape == (3456, 4)
    assert channels.mean.reshape(96, 6, 6, 4)[7, 2, 3].tolist() == mean[7, :, 2, 3].tolist()
    assert present(channels.spread).verdict == "cannot_tell" and told(channels) == ["axes"]
    positions = read_any_codes(path, axes="NCHW", per="position")
    in_use, rate = verdicts(positions)
    assert in_use == 144 and rate == pytest.approx(
        rate_of(mean.reshape(96, -1), logvar.reshape(96, -1)), rel=1e-3
    )


def test_moments_in_one_array_and_channels_last(tmp_path):
    rng = np.random.default_rng(0)
    mean, logvar = rng.normal(size=(40, 3, 5, 5)), rng.normal(-3, 0.1, size=(40, 3, 5, 5))
    both = np.concatenate([mean, logvar], 1).astype(np.float32)
    codes = read_any_codes(save(tmp_path / "m.npz", moments=both), axes="NCHW")
    assert codes.mean.shape == (1000, 3) and told(codes)[:1] == ["halves"]
    assert codes.mean[:25] == pytest.approx(mean[0].reshape(3, 25).T, abs=1e-6)
    assert present(codes.logvar)[:25] == pytest.approx(logvar[0].reshape(3, 25).T, abs=1e-6)
    last = read_any_codes(save(tmp_path / "l.npz", moments=both.transpose(0, 2, 3, 1)), axes="NHWC")
    assert (last.mean == codes.mean).all() and np.array_equal(
        present(last.logvar), present(codes.logvar)
    )
    flat = save(tmp_path / "f.npz", parameters=np.concatenate(make_codes(), 1))
    assert verdicts(read_any_codes(flat))[0] == 4
    odd = save(tmp_path / "o.npz", moments=both[:, :5])
    with pytest.raises(ExplorerError, match="do not split"):
        read_any_codes(odd, axes="NCHW")


def test_a_lone_array_that_looks_like_both_moments_is_told(tmp_path):
    mean, logvar = make_codes(300, 4, 4)
    np.save(tmp_path / "latents.npy", np.concatenate([mean, logvar], 1))
    assert "maybe_moments" in told(read_any_codes(tmp_path / "latents.npy"))
    np.save(tmp_path / "latents.npy", mean)
    assert "maybe_moments" not in told(read_any_codes(tmp_path / "latents.npy"))


def test_five_axes_of_video_and_what_no_letters_fit(tmp_path):
    values = np.random.default_rng(0).normal(size=(6, 4, 3, 5, 5))
    path = save(tmp_path / "video.npz", mean=values, logvar=0 * values)
    with pytest.raises(AxesNeeded, match="NCTHW"):
        read_any_codes(path)
    assert read_any_codes(path, axes="NCTHW").mean.shape == (450, 4)
    for letters in ("NCHW", "NNTHW", "HWNCT", "NTHWD", ""):
        with pytest.raises(ExplorerError):
            read_any_codes(path, axes=letters or "N")


# NaN: where, and how many; the rest is judged.


def test_a_dead_dimension_and_a_broken_row_are_named_and_the_rest_is_judged(tmp_path):
    mean, logvar = make_codes(800, 10, 4)
    mean[:, 7] = np.nan
    logvar[:, 7] = np.nan
    mean[13] = np.nan
    codes = read_any_codes(save(tmp_path / "codes.npz", mean=mean, logvar=logvar))
    assert str(codes.told[0]) == (
        "1 of 10 dimensions (z₈) and 1 further row (row 13) hold NaN or infinite values; "
        "the rest is judged."
    )
    assert codes.mean.shape == (799, 9) and 7 not in codes.dimensions
    assert present(codes.gaps).values == 800 * 2 + 9
    assert 13 not in codes.rows and verdicts(codes)[0] == 4


@pytest.mark.parametrize(
    "rows, columns, sentence, shape",
    [
        ([3, 5, 700], [0], "3 rows (rows 3, 5, 700) hold", (797, 10)),
        (range(800), [1, 2], "2 of 10 dimensions (z₂, z₃) hold", (800, 8)),
        (range(7), range(10), "7 rows (rows 0, 1, 2, 3, 4 and 2 more) hold", (793, 10)),
        (range(790), [9], "1 of 10 dimensions (z₁₀) holds", (800, 9)),
        ([4], [4], "1 row (row 4) holds", (799, 10)),
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_other_gaps(tmp_path, rows, columns, sentence, shape, value):
    mean, logvar = make_codes(800, 10, 4)
    logvar[np.ix_(list(rows), list(columns))] = value
    codes = read_any_codes(save(tmp_path / "codes.npz", mean=mean, logvar=logvar))
    assert str(codes.told[0]).startswith(sentence)
    assert codes.mean.shape == shape and np.isfinite(present(codes.logvar)).all()


def test_gaps_of_a_large_file_are_counted_in_all_of_it(tmp_path, monkeypatch):
    from explorer.analysis.codes_in import arrays

    monkeypatch.setattr(arrays, "KEPT_VALUES", 1000)
    monkeypatch.setattr(arrays, "FEWEST_ITEMS", 50)
    mean, logvar = make_codes(5000, 10, 4)
    mean[::2, 3] = np.nan
    mean[1, 0] = mean[4999, 5] = np.inf
    codes = read_any_codes(save(tmp_path / "codes.npz", mean=mean, logvar=logvar))
    assert told(codes) == ["thinned", "gaps"] and codes.count == 5000
    assert 3 not in codes.dimensions and present(codes.gaps).values == 2502
    assert present(codes.gaps).rows == 2 and present(codes.gaps).first_rows == (1, 4999)


def test_nothing_but_nan_is_one_clear_error(tmp_path):
    mean, logvar = make_codes(50)
    with pytest.raises(ExplorerError, match="nothing to judge"):
        read_any_codes(save(tmp_path / "codes.npz", mean=mean * np.nan, logvar=logvar))


# Labels never block.

WORDS = np.array(["T cell", "B cell", "NK"])
KINDS = np.arange(1500) % 3


@pytest.mark.parametrize(
    "labels, names, said",
    [
        (KINDS, ("0", "1", "2"), None),
        (KINDS.reshape(-1, 1), ("0", "1", "2"), None),
        (np.eye(3)[KINDS], ("0", "1", "2"), "labels_one_hot"),
        (np.eye(3, dtype=bool)[KINDS], ("0", "1", "2"), "labels_one_hot"),
        (WORDS[KINDS], ("B cell", "NK", "T cell"), None),
        (WORDS[KINDS].astype("S"), ("B cell", "NK", "T cell"), None),
        (WORDS[KINDS].reshape(-1, 1), ("B cell", "NK", "T cell"), None),
        (KINDS.astype(np.float16), ("0", "1", "2"), None),
        (np.where(KINDS == 2, np.nan, KINDS), ("–", "0", "1"), None),
        (KINDS == 1, ("False", "True"), None),
        (np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "M8[D]")[KINDS],
         ("2020-01-01", "2020-01-02", "2020-01-03"), None),
        (WORDS[KINDS].astype(object), (), "pickled"),
        (np.array([f"AAAC{i:04d}" for i in range(1500)]), (), "labels_left_out"),
        (np.linspace(0, 1, 1500), (), "labels_left_out"),
        (np.eye(3)[KINDS] * 0.9, (), "labels_left_out"),
        (np.zeros((1500, 2, 2)), (), "labels_left_out"),
        (np.zeros(7), (), "labels_left_out"),
        (np.zeros((), int), (), "labels_left_out"),
        (np.zeros(1500, complex), (), "labels_left_out"),
        (np.full(1500, np.nan), (), "labels_left_out"),
    ],
)  # fmt: skip
def test_labels_of_any_kind(tmp_path, labels, names, said):
    mean, logvar = make_codes()
    codes = read_any_codes(save(tmp_path / "c.npz", mean=mean, logvar=logvar, labels=labels))
    assert codes.class_names == names and told(codes) == ([said] if said else [])
    assert (codes.labels is None) == (names == ())
    if names:
        assert [names[label] for label in present(codes.labels)[:3]] == [
            names[label] for label in present(codes.labels)[3:6]
        ]
    assert verdicts(codes)[0] == 4
    assert all(len(str(said)) > 20 for said in codes.told)


def test_labels_go_with_their_rows(tmp_path):
    mean, logvar = make_codes(300)
    mean[5] = np.nan
    order = np.arange(300)
    path = save(tmp_path / "c.npz", mean=mean, logvar=logvar, labels=order % 2, time=order / 2)
    codes = read_any_codes(path)
    assert (present(codes.labels) == codes.rows % 2).all() and 5 not in codes.rows
    assert (codes.columns["time"] == codes.rows / 2).all()
    clips, spreads = make_sequences(20, 8, 5, 3)
    path = save(tmp_path / "s.npz", mean=clips, logvar=spreads, y=np.arange(20) % 4)
    codes = read_any_codes(path, axes="NKT")
    assert (present(codes.labels) == codes.rows % 4).all() and len(present(codes.labels)) == 100


# A floor of free bits: a control.


def test_free_bits_of_constant_means_are_empty_and_raise_no_doubt(tmp_path):
    """54 dimensions with a constant mean of .61 (.186 nats each) beside 10 that live."""
    mean, logvar = make_codes(600, 64, 10, variance=0.0123)
    mean[:, 10:] = 0.61
    logvar[:, 10:] = 0.0
    codes = read_any_codes(save(tmp_path / "codes.npz", mean=mean, logvar=logvar))
    assert codes.told == () and present(codes.spread).verdict == "agrees"
    mean, logvar = codes.judged()
    found = diagnose_codes(mean, present(logvar))
    assert [d.verdict for d in found.dimensions].count("active") == 10
    assert [d.verdict for d in found.dimensions].count("empty") == 54
    assert found.information.rate == pytest.approx(32, abs=0.5)


# Half precision, by every road.


def test_bfloat16_tensors_are_the_same_as_float32():
    mean = torch.randn(64, 4, generator=torch.Generator().manual_seed(0)).bfloat16()
    wanted = mean.float().numpy()
    assert (as_numbers(mean) == wanted).all()
    assert (as_numbers(mean.requires_grad_()) == wanted).all()
    assert diagnose_codes(as_numbers(mean), as_numbers(mean.detach() * 0 - 3)).state == "healthy"


def test_bfloat16_in_files_is_told_and_read(tmp_path):
    """NumPy stores bfloat16 as two bytes without a name."""
    mean, logvar = make_codes()
    rounded = (mean.view(np.uint32) & 0xFFFF0000).view(np.float32)
    void = (mean.view(np.uint32) >> 16).astype(np.uint16).view("V2")
    spread = (logvar.view(np.uint32) >> 16).astype(np.uint16).view("V2")
    codes = read_any_codes(save(tmp_path / "codes.npz", mean=void, logvar=spread))
    assert (codes.mean == rounded).all() and told(codes) == ["bfloat16", "bfloat16"]
    half = save(tmp_path / "half.npz", mean=mean.astype("f2"), logvar=logvar.astype("f2"))
    assert verdicts(read_any_codes(half))[0] == 4


def test_a_spread_of_zero_is_told():
    assert as_logvar(np.array([0.0, 1.0]), "variance").tolist() == [-60.0, 0.0]
