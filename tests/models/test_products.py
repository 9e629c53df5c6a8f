"""Products that learn: what torch computes from the same factors, and its gradients."""

import pytest
import torch

from explorer.models import products
from explorer.models.products import has_bfloat16, learn_product

MEMBERS = {"one model": (), "three side by side": (3,)}


def draw(members, size=(40, 30, 20)):
    torch.manual_seed(0)
    images, inside, outside = size
    shapes = ((images, inside), (outside, inside), (outside,), (images, outside))
    return [torch.randn(*members, *shape) for shape in shapes]


def learn(halve, x, weight, bias, towards):
    leaves = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
    product = learn_product(leaves[0], leaves[1], leaves[2], halve)
    gradients = torch.autograd.grad(product, leaves, towards)
    return [product.detach(), *gradients]


def expect(round_factor, x, weight, bias, towards):
    """Return the product and the gradients of x, W and b in double precision."""
    x, weight, gradient = (round_factor(tensor).double() for tensor in (x, weight, towards))
    product = x @ weight.mT + bias.double().unsqueeze(-2)
    return [product, gradient @ weight, gradient.mT @ x, towards.double().sum(-2)]


def assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
def test_whole_factors_give_the_whole_product(members):
    parts = draw(members)
    assert_close(learn(False, *parts), expect(lambda factor: factor, *parts))


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
@pytest.mark.parametrize("rounds", [True, False], ids=["by the processor", "by hand"])
def test_half_factors_are_rounded_and_their_sums_are_not(members, rounds, monkeypatch):
    if rounds and not has_bfloat16():
        pytest.skip("This processor does not multiply in bfloat16.")
    monkeypatch.setattr(products, "has_bfloat16", lambda: rounds)
    parts = draw(members)
    found = learn(True, *parts)
    assert_close(found, expect(lambda factor: factor.bfloat16(), *parts))
    whole = expect(lambda factor: factor, *parts)
    assert all(
        (one - other).abs().max() > 1e-3 for one, other in zip(found[:3], whole, strict=False)
    )


def test_what_else_is_multiplied_keeps_its_factors():
    x, weight, _, _ = draw(())
    before = x @ weight.t()
    learn(True, *draw(()))
    assert torch.equal(x @ weight.t(), before)


def test_the_gradient_of_weights_lies_as_they_do():
    x, weight, bias, towards = draw((3,))
    weight.requires_grad_()
    learn_product(x, weight, bias, halve=False).backward(towards)
    assert weight.grad is not None and weight.grad.is_contiguous()


@pytest.mark.skipif(not has_bfloat16(), reason="This processor does not multiply in bfloat16.")
def test_a_member_is_multiplied_as_it_would_be_alone():
    parts = draw((3,), (32, 784, 400))
    together = learn(True, *parts)
    for index in range(3):
        alone = learn(True, *(part[index] for part in parts))
        assert all(
            torch.equal(one[index], other) for one, other in zip(together, alone, strict=True)
        )
