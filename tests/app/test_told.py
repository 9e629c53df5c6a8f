"""What must be said of a file of codes, in the words of the app."""

import numpy as np
import pytest

from explorer.analysis.codes_in.reading import read_any_codes
from explorer.analysis.codes_in.told import SENTENCES, Told
from explorer.app.views.collapse.own import say_told
from explorer.text import LANGUAGES, catalogue
from tests.analysis.codes_in.makers import make_codes


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_its_sentence_in_every_language(language):
    assert {
        key.removeprefix("told.") for key in catalogue(language) if key.startswith("told.")
    } == {*SENTENCES}


def told_of(tmp_path, **arrays):
    np.savez(tmp_path / "codes.npz", **arrays)
    return [say_told(said) for said in read_any_codes(tmp_path / "codes.npz").told]


def test_doubts_about_the_spread_name_both_readings(tmp_path):
    mean, logvar = make_codes()
    (said,) = told_of(tmp_path, mean=mean, logvar=np.exp(logvar))
    assert said == "logvar is hardly log σ²: its values speak for σ². Choose it below."
    (said,) = told_of(tmp_path, mean=mean, logvar=logvar / 2)
    assert said.startswith("logvar was read as log σ², but log σ fits better")


def test_what_other_hands_did_is_told(tmp_path):
    mean, logvar = make_codes()
    (said,) = told_of(tmp_path, mean=logvar, logvar=mean)
    assert said.startswith("mean and logvar look exchanged") and "the other way round" in said
    said = told_of(tmp_path, latent=np.hstack([mean, logvar]))
    assert any("fits its first half as a spread fits means" in one for one in said)
    said = told_of(tmp_path, codes=np.arange(4900).reshape(100, 49))
    assert any("indices into a codebook" in one for one in said)
    said = told_of(tmp_path, mu=mean, precision=np.exp(-logvar))
    assert any(one.startswith("Not used: precision") for one in said)


def test_gaps_are_named(tmp_path):
    mean, logvar = make_codes()
    mean[:, 7], mean[13] = np.nan, np.nan
    (said,) = told_of(tmp_path, mean=mean, logvar=logvar)
    assert said == (
        "NaN or infinite values in 1 dimensions (z₈) and 1 further rows (13); the rest is judged."
    )


def test_names_of_others_are_no_markdown():
    said = say_told(Told("labels_one_hot", {"name": "**bold**"}))
    assert "**bold**" not in said and "bold" in said


def test_the_line_that_exports_both_moments_is_shown():
    assert "get" in say_told(Told("export_both"))
