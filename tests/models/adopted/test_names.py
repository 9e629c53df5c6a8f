"""Weights that a file calls otherwise than layers.json: by their order, or told what to do."""

import pytest
import torch

from explorer.errors import ExplorerError
from explorer.models.adopted.names import explain_match, match_names

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
