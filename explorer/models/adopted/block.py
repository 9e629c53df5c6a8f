"""What run.json keeps of a foreign model: the block "model" of its schema 2, as plain values."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.models.adopted.layers.network import Network
from explorer.models.adopted.layers.schema import opaque_kind
from explorer.models.adopted.model import AdoptedModel
from explorer.models.adopted.question import Fit, Question
from explorer.models.adopted.weights import pack_networks


def model_block(
    model: AdoptedModel,
    fits: Sequence[Fit],
    question: Question,
    *,
    beta: float | None = None,
    implied: Mapping[str, Any] | None = None,
    report: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return run.json's "model" of an adopted model, whose reading is `fits[0]`.

    `beta` is what the person told; `implied` and `report` are the `to_dict()` of
    `analysis.collapse.beta_of_weights` and `analysis.collapse.self_test`. Other fits stand under
    "also_fits".
    """
    reading = fits[0].reading.to_dict()
    sigma2 = model.likelihood.sigma2()
    return {
        "kind": network_kind(model.encoder, model.decoder),
        "shape": list(model.shape),
        "latent": {"kind": "gaussian", "dim": model.latent_dim},
        "prior": {"name": "standard"},
        "likelihood": {
            "name": question.likelihood,
            "sigma2": None if sigma2 is None else float(sigma2.detach()),
            "binarise": question.binarise if question.likelihood == "bernoulli" else None,
            # A variance that was not told is the mean squared error of the reading.
            "told": sigma2 is None or question.sigma2 is not None,
        },
        "adopted": {
            "input": reading["input"],
            "heads": reading["heads"],
            "spread": reading["spread"],
            "output": reading["output"],
            "output_layout": reading["output_layout"],
            "output_range": list(fits[0].output_range),
            "sha256": digest_networks(model),
            "beta": {"told": beta, "implied": None if implied is None else dict(implied)},
            "fit": fits[0].to_dict(),
            "also_fits": [fit.to_dict() for fit in fits[1:]],
            "report": None if report is None else dict(report),
        },
    }


def network_kind(*networks: Network) -> str:
    """Return "layers", or "onnx" where a network could not be drawn; "none" of callables."""
    kinds = {opaque_kind(network.layers) for network in networks}
    if "callable" in kinds:
        return "none"
    return "onnx" if "onnx" in kinds else "layers"


def digest_networks(model: AdoptedModel) -> str | None:
    """Return the SHA-256 of layers and weights, None where no file can hold them."""
    if network_kind(model.encoder, model.decoder) == "none":
        return None
    values, tensors = pack_networks(model.encoder, model.decoder)
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()
