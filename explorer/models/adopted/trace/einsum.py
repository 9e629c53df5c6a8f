"""`torch.einsum` of one or two arrays: permutations, and a matrix product between them."""

import math

from torch import Tensor

from explorer.models.adopted.layers import strokes
from explorer.models.adopted.layers.sketch import (
    Item,
    NotLayers,
    Value,
    matrix_product,
    plain,
    reshape,
)
from explorer.models.adopted.trace.node import Node


def einsum(node: Node) -> Item:
    """Draw an einsum whose first letter is the batch; a constant without it is a linear layer."""
    left, _, out = str(node["equation"]).replace(" ", "").partition("->")
    terms, operands = left.split(","), list(node["tensors"])
    if isinstance(operands[0], Tensor):
        terms, operands = terms[::-1], operands[::-1]
    batch, once = out[:1], all(len(set(term)) == len(term) for term in (*terms, out))
    if not (batch and once) or "." in left or len(terms) > 2 or terms[0][:1] != batch:
        raise NotLayers("an einsum of this sort")
    first = plain(operands[0], "an einsum")
    if len(terms) == 1:
        return _arrange(first, terms[0], out)
    second, (one, two) = operands[1], terms
    summed = [letter for letter in one if letter in two and letter not in out]
    shared = [letter for letter in one[1:] if letter in two and letter in out]
    mine, other = (
        [x for x in term if x in out and x not in shared and x != batch] for term in terms
    )
    if {*one, *two} != {batch, *summed, *shared, *mine, *other}:
        raise NotLayers("an einsum with a sum over one array alone")
    sizes = dict(zip(one[1:], first.shape, strict=True))
    row = _flat(_arrange(first, one, [batch, *shared, *mine, *summed]), len(shared), len(mine))
    if isinstance(second, Tensor):
        if shared or batch in two:
            raise NotLayers("an einsum with a weight for each place")
        weight = second.permute([two.index(letter) for letter in (*other, *summed)])
        sizes |= dict(zip(two, second.shape, strict=True))
        count = math.prod(sizes[letter] for letter in other)
        product = strokes.linear(row, weight.reshape(count, -1), None)
    else:
        if two[:1] != batch:
            raise NotLayers("an einsum across the batch")
        column = plain(second, "an einsum")
        sizes |= dict(zip(two[1:], column.shape, strict=True))
        column = _arrange(column, two, [batch, *shared, *summed, *other])
        product = matrix_product(row, _flat(column, len(shared), len(summed)))
    found = [batch, *shared, *mine, *other]
    return _arrange(plain(reshape(product, [sizes[x] for x in found[1:]]), "an einsum"), found, out)


def _arrange(value: Value, letters: str | list[str], wanted: str | list[str]) -> Value:
    """Return the axes of a value, named by letters with the batch first, in another order."""
    if set(letters) != set(wanted) or wanted[0] != letters[0]:
        raise NotLayers("an einsum of this sort")
    order = [letters.index(letter) for letter in wanted]
    return value if order == sorted(order) else strokes.permute(value, order)


def _flat(value: Value, shared: int, rows: int) -> Value:
    """Return a value as matrices (*shared, rows, columns) of the axes that follow each other."""
    sizes = value.shape
    edges = (shared, shared + rows)
    shape = (*sizes[:shared], math.prod(sizes[edges[0] : edges[1]]), math.prod(sizes[edges[1] :]))
    return plain(reshape(value, shape), "an einsum")
