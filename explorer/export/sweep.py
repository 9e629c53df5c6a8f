"""β on one map: runs that differ in β alone, their latents brought into the same order.

A VAE's latents come in any order and with any sign. Both can be undone exactly: permuting and
flipping the decoder's inputs and the encoder's outputs gives the same model, and q stays diagonal
(a rotation would not keep it so).
"""

import dataclasses
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from explorer.export.container import pack
from explorer.export.networks import MAX_BROWSER_WEIGHTS, count_weights, describe_network
from explorer.export.payload import describe_codes, describe_figures, describe_likelihood

MAX_MEMBERS = 12
Array = NDArray[Any]


def find_siblings(run: Any, candidates: Iterable[Any]) -> list[Any]:
    """Return runs that are `run` but for β (itself included), by β; empty where it stands alone.

    Same images, same networks, a posterior, one run per β: members of the same sweep first.
    """
    config = run.info.config
    if config is None or run.info.latent_kind != "gaussian" or run.info.dataset is None:
        return []
    folder = run.id.rpartition("/")[0]
    found = {config.objective.beta: run}
    for other in sorted(candidates, key=lambda r: r.id.rpartition("/")[0] != folder):
        info = other.info
        if info.config is None or info.dataset is None or other.id == run.id:
            continue
        beta = info.config.objective.beta
        alike = info.config.model == config.model and info.dataset.name == run.info.dataset.name
        if alike and beta not in found and (other.path / "codes.npz").is_file():
            found[beta] = other
    if len(found) < 2 or count_weights(run.model.encoder, run.model.decoder) > MAX_BROWSER_WEIGHTS:
        return []
    betas = sorted(found)
    if len(betas) > MAX_MEMBERS:
        keep = {round(i) for i in np.linspace(0, len(betas) - 1, MAX_MEMBERS)}
        betas = [b for i, b in enumerate(betas) if i in keep or b == config.objective.beta]
    return [found[beta] for beta in betas]


def match_latents(reference: Array, other: Array) -> tuple[Array, Array]:
    """Return (order (K,), sign (K,)) such that other[:, order] · sign lies closest to reference.

    Both are codes (N, K) of the same images. The assignment maximises the sum of absolute
    correlations (Hungarian method); latents without variance are left over.
    """
    from scipy.optimize import linear_sum_assignment

    def standardise(codes: Array) -> Array:
        spread = codes.std(0)
        return (codes - codes.mean(0)) / np.where(spread > 1e-8, spread, np.inf)

    correlation = standardise(reference).T @ standardise(other) / len(reference)
    _, order = linear_sum_assignment(-np.abs(correlation))
    sign = np.sign(correlation[np.arange(len(order)), order])
    return order, np.where(sign == 0, 1.0, sign).astype(np.float32)


def reorder_model(model: Any, order: Array, sign: Array) -> tuple[nn.Sequential, nn.Sequential]:
    """Return (encoder, decoder) of the same model with latents reordered and flipped."""
    import copy

    encoder, decoder = copy.deepcopy(model.encoder), copy.deepcopy(model.decoder)
    index = torch.as_tensor(np.asarray(order))
    flip = torch.as_tensor(np.asarray(sign), dtype=next(model.parameters()).dtype)
    first = decoder[0]
    last = encoder[-1]
    with torch.no_grad():
        first.weight.copy_(first.weight[:, index] * flip)
        rows = torch.cat([index, index + model.latent_dim])
        signs = torch.cat([flip, torch.ones_like(flip)])
        last.weight.copy_(last.weight[rows] * signs[:, None])
        last.bias.copy_(last.bias[rows] * signs)
    return encoder, decoder


def build_member(run: Any, reference: Any) -> bytes:
    """Return what the map needs to become `run`, its latents matched to those of `reference`."""
    codes, target = run.codes(), reference.codes()
    shared, ours, theirs = np.intersect1d(codes.ids, target.ids, return_indices=True)
    size = run.info.latent_dim
    order, sign = np.arange(size), np.ones(size, np.float32)
    if len(shared) > 2 and run.id != reference.id:
        order, sign = match_latents(target.mean[theirs], codes.mean[ours])
    encoder, decoder = reorder_model(run.model, order, sign)
    moved = dataclasses.replace(
        codes,
        mean=codes.mean[:, order] * sign,
        logvar=None if codes.logvar is None else codes.logvar[:, order],
    )
    return pack(
        {
            "schema": 1,
            "role": "member",
            "of": reference.id,
            "id": run.id,
            "moved": bool((order != np.arange(size)).any() or (sign < 0).any()),
            "networks": {
                "encoder": describe_network(encoder),
                "decoder": describe_network(decoder),
            },
            "likelihood": describe_likelihood(run.model),
            "codes": describe_codes(SimpleNamespace(codes=lambda: moved), half=False),
            "figures": describe_figures(run),
            "fingerprint": run.fingerprint,
        }
    )
