"""One image of a two-latent model → the bytes that the ELBO page's lens works from."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.inference.microscope import Examination
from explorer.analysis.inference.refinement_path import Normal, RefinementPath
from explorer.errors import ExplorerError
from explorer.export.container import pack
from explorer.export.networks import count_multiply_adds, describe_network
from explorer.export.payload import describe_codes, describe_latent

MAX_CODES = 8000
MAX_LENS_MULTIPLY_ADDS = 6_000_000
"""Of a decoder that the hand on q asks for dozens of times a frame."""


def build_lens(
    run: Any,
    target: NDArray[Any],
    examination: Examination,
    text: Mapping[str, str],
    language: str = "en",
    refined: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the decoder, the image as it is scored, the exact posterior and every sentence.

    `refined` are the best normals (`describe_refinement`), for a page that can ask nobody for them.

    `run` is an `explorer.runs.run.Run` with a model of two latents; `target` (C, H, W) in [0, 1].
    ExplorerError where the decoder is too large for the browser or has a layer it does not know.
    """
    model = run.model
    if count_multiply_adds(model.decoder, (model.latent_dim,)) > MAX_LENS_MULTIPLY_ADDS:
        raise ExplorerError("This decoder is too large to run in the browser.")
    assert examination.raster is not None
    raster = examination.raster
    codes = describe_codes(run, True, MAX_CODES)
    header = {
        "schema": 1,
        "id": run.id,
        "shape": list(model.shape),
        "latent": describe_latent(model),
        "likelihood": model.likelihood.describe(),
        "networks": {
            "encoder": [],
            "decoder": describe_network(model.decoder, (model.latent_dim,)),
        },
        "prior": model.prior.describe(),
        "x": np.asarray(target, np.float32).ravel(),
        "encoder": describe_normal((examination.mean, np.diag(examination.sd))),
        "exact": {
            "log_px": examination.log_px,
            "error": examination.error,
            "certified": examination.certified,
            "residual": examination.residual,
            "reconstruction": examination.reconstruction,
            "kl": examination.kl,
            "mean": examination.posterior_mean.tolist(),
            "levels": list(examination.levels),
        },
        "raster": {
            "left": raster.left,
            "bottom": raster.bottom,
            "step": raster.step,
            "values": np.asarray(raster.values, np.float32),
        },
        "codes": None if codes is None else {"mean": codes["mean"], "labels": codes["labels"]},
        "language": language,
        "text": dict(text),
        "refined": None if refined is None else dict(refined),
    }
    header["fingerprint"] = hashlib.sha256(pack(header)).hexdigest()[:16]
    return pack(header)


def describe_refinement(path: RefinementPath) -> dict[str, Any]:
    """Return the path of q as plain values, for a message to the lens."""
    return {
        "diagonal": [describe_normal(q) for q in path.diagonal],
        "full": [describe_normal(q) for q in path.full],
        "best_diagonal": {**describe_normal(path.best_diagonal), "elbo": path.diagonal_elbo},
        "best_full": {**describe_normal(path.best_full), "elbo": path.full_elbo},
        "jumped": path.jumped,
    }


def describe_normal(q: Normal) -> dict[str, list[Any]]:
    """Return a normal's mean (2,) and factor (2, 2) as lists."""
    return {"mean": np.asarray(q[0]).tolist(), "factor": np.asarray(q[1]).tolist()}
