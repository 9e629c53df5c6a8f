"""Our Adam gives what torch's gives, to the bit."""

import copy

import pytest
import torch
from torch import nn

from explorer.training import optimiser
from explorer.training.optimiser import Adam

STEPS = 12


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))


def learn(model, update, resting=True):
    x = torch.randn(4, 5)
    model(x).square().sum().backward()
    if resting:
        model[0].weight.grad = model[0].bias.grad = None
    update()


@pytest.mark.parametrize("fused", [True, False])
def test_it_gives_what_torchs_gives(fused, monkeypatch):
    if not fused:
        monkeypatch.setattr(optimiser, "FUSED_DEVICES", ())
    ours, theirs = network(), network()
    mine = Adam(ours.parameters(), 1e-2, 1e-4)
    yours = torch.optim.Adam(theirs.parameters(), lr=1e-2, eps=1e-4, fused=fused, foreach=False)
    for step in range(STEPS):
        mine.lr = yours.param_groups[0]["lr"] = 1e-2 / (step + 1)
        mine.forget()
        yours.zero_grad()
        for model, update in ((ours, mine.update), (theirs, yours.step)):
            torch.manual_seed(step)
            learn(model, update, resting=step in (0, 5))  # At first without a state of its own.
        assert all(map(torch.equal, ours.parameters(), theirs.parameters()))
    first, second = mine.state(), yours.state_dict()["state"]
    assert first.keys() == second.keys()
    for index, state in first.items():
        assert state.keys() == second[index].keys()
        assert all(torch.equal(value, second[index][key]) for key, value in state.items())


def test_a_gradient_that_lies_across_its_weights_is_no_other_gradient():
    torch.manual_seed(0)
    gradient = torch.randn(3, 4)
    along, across = (nn.Parameter(torch.ones(3, 4)) for _ in range(2))
    along.grad, across.grad = gradient, gradient.t().contiguous().t()
    for weight in (along, across):
        Adam([weight], 0.1).update()
    assert torch.equal(along, across)


def test_it_goes_on_from_its_state_and_from_torchs():
    whole, first = network(), network()
    mine, yours = Adam(whole.parameters(), 1e-2), torch.optim.Adam(first.parameters(), fused=True)
    yours.param_groups[0]["lr"] = 1e-2
    for step in range(STEPS):
        for model, update in ((whole, mine.update), (first, yours.step)):
            torch.manual_seed(step)
            model.zero_grad()
            learn(model, update, resting=step < 7)  # One layer is not updated before the break.
        if step == 4:
            second = copy.deepcopy(first)
            yours_state = copy.deepcopy(yours.state_dict()["state"])
            own_state = copy.deepcopy(mine.state())
    for state in (yours_state, own_state):
        assert set(state) == {2, 3}
        again = copy.deepcopy(second)
        resumed = Adam(again.parameters(), 1e-2)
        learn(again, resumed.update, resting=False)  # What it had learned by itself is forgotten.
        again.load_state_dict(second.state_dict())
        resumed.restore(state)
        for step in range(5, STEPS):
            torch.manual_seed(step)
            resumed.forget()
            learn(again, resumed.update, resting=step < 7)
        assert all(map(torch.equal, again.parameters(), whole.parameters()))


@pytest.mark.parametrize("shape, error", [((2, 3), ValueError), ((), ValueError), (None, KeyError)])
def test_a_state_of_other_parameters_is_refused(shape, error):
    weight = nn.Parameter(torch.zeros(3, 2))
    value = torch.zeros(3, 2) if shape is None else torch.zeros(shape)
    state = {"exp_avg": value, "exp_avg_sq": value, "step": torch.tensor(1.0)}
    with pytest.raises(error):
        Adam([weight], 1e-2).restore({1 if shape is None else 0: state})


def test_forget_drops_every_gradient():
    layer = nn.Linear(2, 2)
    layer(torch.ones(1, 2)).sum().backward()
    Adam(layer.parameters(), 1e-2).forget()
    assert layer.weight.grad is None and layer.bias.grad is None


def test_without_any_gradient_nothing_moves():
    layer = nn.Linear(2, 2)
    before = copy.deepcopy(layer)
    Adam(layer.parameters(), 1e-2).update()
    assert all(map(torch.equal, layer.parameters(), before.parameters()))


@pytest.mark.parametrize("epsilon", [1e-4, 1e-8, 1e-16])
def test_a_gradient_that_stays_away_leaves_no_mean_that_is_slow_to_compute_with(epsilon):
    torch.manual_seed(0)
    gradients = 10.0 ** -torch.arange(0.0, 24, 0.25)  # Down to squares that fp32 does not know.
    ours, theirs = (nn.Parameter(torch.randn(len(gradients))) for _ in range(2))
    theirs.data.copy_(ours.data)
    mine = Adam([ours], 1e-3, epsilon)
    yours = torch.optim.Adam([theirs], lr=1e-3, eps=epsilon, fused=True)
    for step in range(1280):
        ours.grad = theirs.grad = gradients * (step == 0)
        mine.update()
        yours.step()
    assert torch.equal(ours, theirs)
    smallest = torch.finfo(torch.float32).smallest_normal
    (state,), (other,) = mine.state().values(), yours.state_dict()["state"].values()
    assert is_slow(other["exp_avg"], smallest).any()
    assert not is_slow(state["exp_avg"], smallest).any()
    if epsilon >= 1e-8:  # With a smaller one the least squares still count.
        assert not is_slow(state["exp_avg_sq"], smallest).any()


def is_slow(x, smallest):
    return (x != 0) & (x.abs() < smallest)
