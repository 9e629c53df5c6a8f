"""The cross-entropy of binary pixels: its value, both slopes, and no number that is slow."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.models.likelihoods.bernoulli import BLOCK_VALUES, BernoulliLikelihood, sum_softplus

BERNOULLI = BernoulliLikelihood()
LOGITS = torch.linspace(-200, 200, 4001, dtype=torch.float64)
GREY = (0.0, 0.3, 1.0)


def as_images(values):
    """Return each value as an image of one pixel, (B, 1, 1, 1)."""
    return values.view(-1, 1, 1, 1)


def cross_entropy(logits, x):
    value = functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    return value.flatten(1).sum(1)


class NoSlowNumbers(TorchDispatchMode):
    """Fails where an operation's result has a number that is not 0 and below the normal ones."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.is_floating_point():
            smallest = torch.finfo(result.dtype).smallest_normal
            assert not ((result != 0) & (result.abs() < smallest)).any(), function
        return result


@pytest.mark.parametrize("grey", GREY)
@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-7), (torch.float64, 4e-15)])
def test_the_value_is_right_to_the_last_places(grey, dtype, error):
    logits = as_images(LOGITS.to(dtype))
    x = torch.full_like(logits, grey)
    expected = cross_entropy(logits.double(), x.double())
    found = BERNOULLI.nll(logits, x).double()
    torch.testing.assert_close(found, expected, rtol=2 * error, atol=error)


@pytest.mark.parametrize("grey", GREY)
@pytest.mark.parametrize("logit", [float("inf"), -float("inf"), float("nan")])
def test_what_is_no_number_stays_what_torch_makes_of_it(logit, grey):
    logits, x = torch.full((1, 1, 1, 1), logit), torch.full((1, 1, 1, 1), grey)
    found, expected = BERNOULLI.nll(logits, x), cross_entropy(logits, x)
    torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("grey", GREY)
def test_the_slope_is_exact_at_nothing_and_at_sure_pixels(grey):
    logits = as_images(torch.cat([LOGITS, torch.zeros(1).double()])).requires_grad_()
    x = torch.full_like(logits, grey)
    (slope,) = torch.autograd.grad(BERNOULLI.nll(logits, x).sum(), logits)
    exact = 1 / (1 + torch.exp(-logits.detach())) - grey
    torch.testing.assert_close(slope, exact, rtol=1e-14, atol=1e-34)
    assert slope[-1].item() == 0.5 - grey


def test_slopes_of_logits_and_of_images_are_those_of_the_value_twice():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(3, 1, 2, 2, generator=generator, dtype=torch.float64)
    x = torch.rand(3, 1, 2, 2, generator=generator, dtype=torch.float64)
    inputs = logits.requires_grad_(), x.requires_grad_()
    assert torch.autograd.gradcheck(BERNOULLI.nll, inputs)
    assert torch.autograd.gradgradcheck(BERNOULLI.nll, inputs)


def test_many_images_cost_what_each_does():
    generator = torch.Generator().manual_seed(0)
    count = 2 * BLOCK_VALUES // 784 + 7
    logits = 9 * torch.randn(count, 1, 28, 28, generator=generator)
    x = (torch.rand(count, 1, 28, 28, generator=generator) < 0.2).float()
    found = BERNOULLI.nll(logits, x)
    assert torch.equal(found[-9:], BERNOULLI.nll(logits[-9:], x[-9:]))
    torch.testing.assert_close(found, cross_entropy(logits, x))
    expected = functional.softplus(logits.double()).flatten(1).sum(1).float()
    torch.testing.assert_close(sum_softplus(logits.flatten(1)), expected)


def test_softplus_of_logits_whose_exponential_is_no_number():
    far = torch.tensor([float("inf"), -float("inf"), float("nan"), 120.0, -120.0, 3.0])
    expected = functional.softplus(far)
    torch.testing.assert_close(sum_softplus(far[:, None]), expected, equal_nan=True)


def test_no_number_arises_that_is_slow_to_compute_with():
    logits = as_images(LOGITS.float()).requires_grad_()
    x = (logits.detach() > 7).float()
    with NoSlowNumbers():
        BERNOULLI.nll(logits, x).sum().backward()
        sum_softplus(logits.detach().flatten(1)[LOGITS < 88])


def test_torch_itself_would_make_such_numbers():
    logits = as_images(LOGITS.float())
    with pytest.raises(AssertionError), NoSlowNumbers():
        functional.softplus(logits)
