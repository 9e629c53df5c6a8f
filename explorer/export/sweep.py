"""β on one map: runs that differ in β alone, their latents brought into the same order.

A VAE's latents come in any order and with any sign. Both can be undone exactly: permuting and
flipping the decoder's inputs and the encoder's outputs gives the same model, and q stays diagonal
(a rotation would not keep it so).
"""

import dataclasses
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from explorer.codes import match_latents
from explorer.export.container import pack
from explorer.export.networks import count_weights, describe_network
from explorer.export.payload import (
    MAX_BROWSER_WEIGHTS,
    add_factors,
    describe_codes,
    describe_figures,
)

MAX_MEMBERS = 12
Array = NDArray[Any]


def find_siblings(run: Any, candidates: Iterable[Any]) -> list[Any]:
    """Return runs that are `run` but for β (itself included), by β; empty where it stands alone.

    Same images, same networks, a posterior, one run per β: members of the same sweep first. Where
    no run has the same network, one whole sweep of another network of the same kind stands in
    (`is_same_network` tells).
    """
    config = run.info.config
    if config is None or not run.info.has_density or run.info.dataset is None:
        return []
    if count_weights(run.model.encoder, run.model.decoder) > MAX_BROWSER_WEIGHTS:
        return []
    if not run.model.prior.has_shares:  # It cannot be turned into another model's axes.
        return []
    fitting = [other for other in candidates if _fits(run, other)]
    folder = run.id.rpartition("/")[0]
    same = [other for other in fitting if is_same_network(run, other)]
    found = _one_per_beta(run, sorted(same, key=lambda r: r.id.rpartition("/")[0] != folder))
    if len(found) < 2:
        sweeps: dict[str, list[Any]] = {}
        for other in fitting:
            if parent := other.id.rpartition("/")[0]:
                sweeps.setdefault(parent, []).append(other)
        largest = max(sweeps, key=lambda name: len(sweeps[name]), default="")
        found = _one_per_beta(run, sweeps.get(largest, []))
    if len(found) < 2:
        return []
    betas = sorted(found)
    if len(betas) > MAX_MEMBERS:
        keep = {round(i) for i in np.linspace(0, len(betas) - 1, MAX_MEMBERS)}
        betas = [b for i, b in enumerate(betas) if i in keep or b == config.objective.beta]
    return [found[beta] for beta in betas]


def is_same_network(run: Any, other: Any) -> bool:
    """Tell whether two runs have the same networks."""
    return bool(run.info.config.model == other.info.config.model)


def _fits(run: Any, other: Any) -> bool:
    """Whether `other` differs from `run` in β and, at most, in the size of its networks."""
    info = other.info
    if info.config is None or info.dataset is None or other.id == run.id:
        return False
    mine, theirs = run.info.config.model, info.config.model
    for model in (mine, theirs):
        if model.skip or model.mean_norm or model.posterior_cap < 1:
            return False  # They have layers that neither `reorder_model` nor the browser knows.
    kinds = ("latent_dim", "latent", "likelihood", "binarise", "prior")
    return (
        info.dataset.name == run.info.dataset.name
        and all(getattr(mine, kind) == getattr(theirs, kind) for kind in kinds)
        and (other.path / "codes.npz").is_file()
        and (other.path / "checkpoint.safetensors").is_file()
    )


def _one_per_beta(run: Any, others: Iterable[Any]) -> dict[float, Any]:
    found = {run.info.config.objective.beta: run}
    for other in others:
        found.setdefault(other.info.config.objective.beta, other)
    return found


def reorder_model(model: Any, order: Array, sign: Array) -> tuple[nn.Sequential, nn.Sequential]:
    """Return (encoder, decoder) of the same model with latents reordered and flipped."""
    import copy

    encoder, decoder = copy.deepcopy(model.encoder), copy.deepcopy(model.decoder)
    index = torch.as_tensor(np.asarray(order))
    flip = torch.as_tensor(np.asarray(sign), dtype=model.reference.dtype)
    first = decoder[0]
    last = encoder[-1]
    with torch.no_grad():
        first.weight.copy_(first.weight[:, index] * flip)
        rows = torch.cat([index, index + model.latent_dim])
        signs = torch.cat([flip, torch.ones_like(flip)])
        last.weight.copy_(last.weight[rows] * signs[:, None])
        last.bias.copy_(last.bias[rows] * signs)
    return encoder, decoder


def build_member(run: Any, reference: Any, factors: Mapping[str, Array] | None = None) -> bytes:
    """Return what the map needs to become `run`, its latents matched to those of `reference`.

    `factors` are what is known of every image of the data set, by id.
    """
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
    described = describe_codes(SimpleNamespace(codes=lambda: moved), half=False)
    assert described is not None
    return pack(
        {
            "schema": 1,
            "role": "member",
            "of": reference.id,
            "id": run.id,
            "otherNetwork": not is_same_network(reference, run),
            "moved": bool((order != np.arange(size)).any() or (sign < 0).any()),
            "networks": {
                "encoder": describe_network(encoder, run.model.shape),
                "decoder": describe_network(decoder, (size,)),
            },
            "likelihood": run.model.likelihood.describe(),
            "codes": add_factors(described, factors or {}),
            "figures": describe_figures(run),
            "fingerprint": run.fingerprint,
        }
    )
