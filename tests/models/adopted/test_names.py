"""Weights that a file calls otherwise than layers.json: by their order, or told what to do."""

import pytest
import torch
from torch import nn

from explorer.errors import ExplorerError
from explorer.models.adopted.names import explain_match, match_names
from tests.helpers import present

LINEAR = {"kind": "linear", "weight": "encoder.0", "bias": "encoder.1"}
LAYERS = [
    [LINEAR, {"kind": "relu"}],
    [{"kind": "conv", "weight": "decoder.2", "bias": "decoder.3"}],
]


def state(*names):
    shapes = [(3, 4), (3,), (2, 3, 1, 1), (2,)]
    return {name: torch.randn(shape) for name, shape in zip(names, shapes, strict=False)}


def test_names_that_agree_stay():
    tensors = state("encoder.0", "encoder.1", "decoder.2", "decoder.3")
    assert match_names(LAYERS, tensors, "a.pt") == tensors
    assert explain_match(LAYERS, tensors, "a.pt") == ""


def test_other_names_are_matched_by_order_whatever_counts_stand_between():
    tensors = state("fc.weight", "fc.bias", "up.weight", "up.bias")
    counted = {**tensors, "bn.num_batches_tracked": torch.tensor(3)}
    found = match_names(LAYERS, counted, "a.pt")
    assert list(found) == ["encoder.0", "encoder.1", "decoder.2", "decoder.3"]
    assert all(a is b for a, b in zip(found.values(), tensors.values(), strict=True))
    assert "a.pt" in explain_match(LAYERS, counted, "a.pt")


def test_a_batch_norm_is_matched_as_torch_saves_it():
    """Its parameters first and then its statistics, whatever their order in layers.json."""
    norm = nn.BatchNorm2d(2)
    for tensor in (norm.running_mean, norm.running_var, norm.weight, norm.bias):
        nn.init.uniform_(present(tensor), 0.5, 2)
    names = {"mean": "o.0", "variance": "o.1", "weight": "o.2", "bias": "o.3"}
    found = match_names([[{"kind": "batchNorm", **names}]], norm.state_dict(), "a.pt")
    torch.testing.assert_close(found["o.0"], norm.running_mean)
    torch.testing.assert_close(found["o.1"], norm.running_var)
    torch.testing.assert_close(found["o.2"], norm.weight.detach())
    torch.testing.assert_close(found["o.3"], norm.bias.detach())


def test_batch_norms_that_adopt_folded_away_are_named_as_the_reason():
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Conv2d(3, 2, 1))
    with pytest.raises(ExplorerError, match="batch norms are folded away"):
        match_names(LAYERS, net.state_dict(), "a.pt")


@pytest.mark.parametrize(
    "tensors",
    [
        state("fc.weight", "fc.bias", "up.weight"),
        dict(reversed(state("fc.weight", "fc.bias", "up.weight", "up.bias").items())),
    ],
)
def test_what_no_order_matches_names_the_option(tensors):
    with pytest.raises(ExplorerError, match="as --layers"):
        match_names(LAYERS, tensors, "a.pt")
