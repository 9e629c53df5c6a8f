"""What a kernel or a server answers to a map whose networks are too large for the browser."""

import base64
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

MAX_BATCH = 64
UNREADABLE = (LookupError, TypeError, ValueError, OverflowError, RuntimeError)
"""What a request raises that no map of ours would send."""


@torch.inference_mode()
def answer_encode(model: Any, request: Any) -> dict[str, Any] | None:
    """Return q(z|x) of {"x": base64 of uint8 pixels, "number": n}; None for a broken request."""
    try:
        pixels = np.frombuffer(base64.b64decode(request["x"]), np.uint8)
        x = torch.from_numpy(pixels.astype(np.float32) / 255).reshape(1, *model.shape)
        number = int(request["number"])
    except UNREADABLE:
        return None
    mean, logvar = model.encode_parameters(x.to(model.reference.dtype))
    return {
        "number": number,
        "mean": mean[0].tolist(),
        "logvar": None if logvar is None else logvar[0].tolist(),
    }


@torch.inference_mode()
def answer_decode(model: Any, request: Any) -> dict[str, Any] | None:
    """Return the picture at {"z", "mode", "seed", "number"}; None for a broken request.

    Pixels are bytes of value/top, so that a σ-map keeps its range.
    """
    try:
        z = torch.tensor(request["z"], dtype=model.reference.dtype).reshape(1, -1)
        number, seed = int(request["number"]), int(request["seed"])
    except UNREADABLE:
        return None
    if z.shape[1] != model.latent_dim or not bool(torch.isfinite(z).all()):
        return None
    pixels = model.decode(z)
    if request.get("mode") == "sample":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed & 0x7FFFFFFF)
            values = pixels.sample()
    elif request.get("mode") == "deviation":
        values = pixels.variance.sqrt()
    else:
        values = pixels.mean
    return {"number": number, **_pack_pixels(values[0].float().numpy())}


@torch.inference_mode()
def answer_batch(model: Any, request: Any) -> dict[str, Any] | None:
    """Return the means at {"points": list of z, "number"}, one after the other, as one block.

    None for a broken request and for one of more than 64 points.
    """
    try:
        z = torch.tensor(request["points"], dtype=model.reference.dtype)
        number = int(request["number"])
    except UNREADABLE:
        return None
    if z.ndim != 2 or z.shape[1] != model.latent_dim or not 1 <= len(z) <= MAX_BATCH:
        return None
    if not bool(torch.isfinite(z).all()):
        return None
    return {"number": number, **_pack_pixels(model.decode(z).mean.float().numpy())}


ANSWERS = {"encode": answer_encode, "decode": answer_decode, "batch": answer_batch}
"""By the name of the component's state that holds the request."""


def _pack_pixels(values: NDArray[np.float32]) -> dict[str, Any]:
    top = max(1.0, float(values.max())) if values.max() > 1 else 1.0
    levels = np.rint(np.clip(values / top, 0, 1) * 255).astype(np.uint8)
    return {"picture": base64.b64encode(levels.tobytes()).decode(), "top": top}
