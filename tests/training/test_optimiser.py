"""Our Adam's update gives what torch's `step` gives, to the bit."""

import copy

import pytest
import torch
from torch import nn

from explorer.training.optimiser import Adam


@pytest.mark.parametrize("fused", [True, False])
def test_update_equals_step(fused):
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    theirs = copy.deepcopy(ours)
    quick = Adam(ours.parameters(), lr=1e-2, eps=1e-4, fused=fused)
    slow = torch.optim.Adam(theirs.parameters(), lr=1e-2, eps=1e-4, fused=fused)
    for step in range(12):
        x = torch.randn(4, 5)
        quick.lr = slow.param_groups[0]["lr"] = 1e-2 / (step + 1)
        quick.forget()
        slow.zero_grad()
        for model in (ours, theirs):
            model(x).square().sum().backward()
            if step in (0, 5):  # One layer rests, at first without a state of its own.
                model[0].weight.grad = model[0].bias.grad = None
        quick.update()
        slow.step()
    assert all(map(torch.equal, ours.parameters(), theirs.parameters()))
    first, second = quick.state(), slow.state_dict()["state"]
    assert first.keys() == second.keys()
    for index, state in first.items():
        assert all(torch.equal(value, second[index][key]) for key, value in state.items())


def test_forget_drops_every_gradient():
    layer = nn.Linear(2, 2)
    layer(torch.ones(1, 2)).sum().backward()
    Adam(layer.parameters()).forget()
    assert layer.weight.grad is None and layer.bias.grad is None


@pytest.mark.parametrize("fused", [True, False])
def test_what_is_restored_goes_on_as_if_nothing_had_happened(fused):
    whole = nn.Linear(3, 2)
    halves = copy.deepcopy(whole)
    first, other = Adam(whole.parameters(), fused=fused), Adam(halves.parameters(), fused=fused)
    for step in range(6):
        if step == 3:
            kept = copy.deepcopy(other.state())
            other = Adam(halves.parameters(), fused=fused)
            other.restore({index: dict(values) for index, values in kept.items()})
        for model, optimiser in ((whole, first), (halves, other)):
            optimiser.forget()
            model(torch.arange(3.0) + step).square().sum().backward()
            optimiser.update()
    assert all(map(torch.equal, whole.parameters(), halves.parameters()))
