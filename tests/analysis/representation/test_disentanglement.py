"""Known answers: an identity code, a duplicated code, importances in closed form."""

import numpy as np
import pytest

from explorer.analysis.representation import disentanglement
from explorer.analysis.representation.disentanglement import score_disentanglement
from explorer.errors import ExplorerError


@pytest.fixture(scope="module")
def factors():
    rng = np.random.default_rng(0)
    sizes = (4, 6, 8, 10)
    return np.stack([rng.integers(0, size, 2000) for size in sizes], 1).astype(float)


def test_identity_code(factors):
    scores = score_disentanglement(factors, factors)
    assert scores.mig >= 0.9
    assert scores.sap >= 0.9
    assert scores.factor_vae >= 0.9
    assert scores.dci.disentanglement >= 0.9
    assert scores.dci.completeness >= 0.9
    assert scores.dci.informativeness >= 0.9


def test_duplicated_code(factors):
    codes = np.concatenate([factors, factors], 1)
    assert disentanglement.mutual_information_gap(codes, factors) <= 0.1
    assert disentanglement.separated_attribute_predictability(codes, factors) <= 0.2


def test_noise_codes_score_near_nothing(factors):
    codes = np.random.default_rng(1).normal(size=(2000, 4))
    scores = score_disentanglement(codes, factors)
    assert scores.mig < 0.05
    assert scores.sap < 0.05
    assert scores.dci.informativeness < 0.1


def test_constant_codes_are_chance(factors):
    assert disentanglement.factor_vae_score(np.zeros((2000, 3)), factors) == 0.25
    assert disentanglement.mutual_information_gap(np.zeros((2000, 3)), factors) == 0


def test_dci_with_five_codes_for_ten_factors():
    importance = np.kron(np.eye(5), np.ones((1, 2)))
    found, completeness = disentanglement.dci_from_importance(importance)
    assert found == pytest.approx(1 - np.log(2) / np.log(10))
    assert found == pytest.approx(0.69897, abs=1e-5)
    assert completeness == pytest.approx(1.0)


def test_categorical_factor(factors):
    """A class with two values is read by one code as well as an ordered factor is."""
    binary = (factors[:, :1] > 1).astype(float)
    codes = np.random.default_rng(2).normal(size=(2000, 2))
    codes[:, 0] += 6 * binary[:, 0]
    scores = score_disentanglement(codes, binary, categorical=[0])
    assert scores.sap > 0.9
    assert scores.mig > 0.7


def test_rotation_spoils_mig_and_sap(factors):
    angle = np.pi / 4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    v = factors[:, 2:]
    v = (v - v.mean(0)) / v.std(0)
    assert disentanglement.mutual_information_gap(v @ turn, factors[:, 2:]) < 0.2
    assert disentanglement.separated_attribute_predictability(v @ turn, factors[:, 2:]) < 0.2


@pytest.mark.parametrize("name", ["strokes", "shapes"])
def test_factors_of_our_own_data_sets(name):
    """The factors themselves, as codes, are as good as codes can be on their own data set."""
    from explorer.datasets import load_dataset

    known = load_dataset(name).factors
    count = len(next(iter(known.values())))
    chosen = np.random.default_rng(0).permutation(count)[:3000]
    values, names, categorical = disentanglement.factor_matrix(
        {key: value[chosen] for key, value in known.items()}
    )
    assert len(names) >= 4
    assert len(categorical) == 1
    information = disentanglement.mutual_information_matrix(values, values, categorical=categorical)
    assert (information.argmax(0) == np.arange(len(names))).all()
    # Strokes of one class share sizes and slants, so that the fixed factor is not always told.
    assert disentanglement.factor_vae_score(values, values) > (0.9 if name == "shapes" else 0.7)


def test_words_are_numbered_and_are_categories():
    factors = {
        "colour": np.array(["red", "blue", "red", "green"]),
        "size": np.array([1.0, 2.0, 3.0, 4.0]),
        "maker": np.array(["we"] * 4),
    }
    values, names, categorical = disentanglement.factor_matrix(factors)
    assert names == ("colour", "size") and categorical == (0,)
    assert values.tolist() == [[2, 1], [0, 2], [2, 3], [1, 4]]


@pytest.mark.parametrize(
    ("codes", "values"),
    [
        (np.zeros((10, 2)), np.zeros((10, 1))),
        (np.zeros((200, 2)), np.zeros((200, 1))),
        (np.full((200, 2), np.nan), np.arange(200.0)[:, None]),
        (np.zeros((200, 2)), np.arange(100.0)[:, None]),
    ],
)
def test_bad_input_is_one_clear_error(codes, values):
    with pytest.raises(ExplorerError):
        disentanglement.mutual_information_gap(codes, values)
