"""What networks return, as named arrays."""

from collections import OrderedDict, namedtuple

import torch
from torch.distributions import Bernoulli, Independent, Laplace, Normal

from explorer.models.adopted.trace.outputs import LOGITS, MEAN, STD, read_outputs

A, B = torch.zeros((3, 2)), torch.ones((3, 2))
Pair = namedtuple("Pair", ["mean", "scale"])


class Posterior:
    def __init__(self):
        self.mean, self.logvar, self.name = A, B, "q"


def names(found, batch=3):
    return [output.name for output in read_outputs(found, batch)]


def test_arrays_have_the_names_that_they_have_there():
    assert names(A) == ["output"]
    assert names((A, [B, A])) == ["0", "1.0", "1.1"]
    assert names(OrderedDict(mu=A, logvar=B)) == ["mu", "logvar"]
    assert names(Pair(A, B)) == ["mean", "scale"]
    assert names(Posterior()) == ["mean", "logvar"]
    assert names({"latent_dist": Posterior()}) == ["latent_dist.mean", "latent_dist.logvar"]


def test_what_is_no_array_of_the_batch_is_left_out():
    others = [None, 1.0, "text", torch.zeros(()), torch.zeros(3), torch.zeros((2, 2)), A.long()]
    assert names([*others, A]) == ["7"]
    assert names(None) == [] and names([[[[A]]]]) == []


def test_distributions_say_what_their_parts_are():
    found = read_outputs(Independent(Normal(A, B), 1), 3)
    assert [(o.name, o.role) for o in found] == [("loc", MEAN), ("scale", STD)]
    assert found[0].array is not None and torch.equal(found[1].array, B)
    assert [o.role for o in read_outputs({"p": Bernoulli(logits=A)}, 3)] == [LOGITS]
    assert [o.name for o in read_outputs({"p": Laplace(A, B)}, 3)] == ["p.loc"]


def test_very_many_outputs_are_cut():
    assert len(names([A] * 50)) == 16
