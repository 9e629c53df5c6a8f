"""A run → the bytes that the latent map in the browser works from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.collapse.moved_beta import find_beta
from explorer.codes import kl_of_codes
from explorer.datasets import DATASETS
from explorer.errors import ExplorerError
from explorer.export.container import pack, shorten
from explorer.export.factors import describe_factors
from explorer.export.sheet import pack_sheet
from explorer.runs.info import DatasetInfo

Array = NDArray[Any]

MAX_CODES = 1_000_000
MAX_CODE_BYTES = 16_000_000
MAX_IMAGE_BYTES = 2_000_000
"""Of the pictures as they are; a page packs coloured ones, and has room for more of them."""
MAX_BROWSER_WEIGHTS = 6_000_000
"""Above this many weights they are not sent: the pictures are decoded on the server."""
MAX_BROWSER_MULTIPLY_ADDS = 150_000_000
"""Above this many no machine keeps up with the hand; below it the page measures its own."""


@dataclass(frozen=True)
class Pictures:
    """Input images to choose from: uint8 (M, C, H, W), their labels and ids, and where from."""

    images: Array
    labels: Array | None
    ids: Array
    source: str
    """The split they come from, or "sample" for drawings of our own that stand in."""
    credit: str = ""
    """Whose they are, where their licence asks that this goes with them."""
    factors: Mapping[str, Array] = field(default_factory=dict)
    """What is known of every image of the data set, by id: numbers or words."""


def pick_pictures(
    images: Array,
    labels: Array | None,
    ids: Array,
    source: str,
    credit: str = "",
    room_bytes: int = MAX_IMAGE_BYTES,
) -> Pictures:
    """Return as many pictures, from the first on, as there is room for."""
    room = count_room(images.shape[1:], room_bytes)
    labels = None if labels is None else labels[:room]
    return Pictures(images[:room], labels, np.asarray(ids[:room]), source, credit)


def count_room(shape: Sequence[int], room_bytes: int) -> int:
    """Return how many pictures of a shape have room, one at least."""
    return max(1, room_bytes // int(np.prod(shape)))


def build_payload(
    run: Any,
    pictures: Pictures | None = None,
    text: Mapping[str, str] | None = None,
    language: str = "en",
    *,
    half: bool = False,
    max_codes: int = MAX_CODES,
    packed: bool = False,
    atlas: Mapping[str, Any] | None = None,
) -> bytes:
    """Return one bytes object: the networks, the codes, some pictures and every sentence shown.

    `run` is an `explorer.runs.run.Run` with a model. `text` maps the component's keys to sentences,
    which are in `language`, a BCP 47 tag. For files of their own: `half=True` forces half
    precision, `max_codes` bounds the codes, `packed` stores coloured pictures as a sheet, and an
    `atlas` (`export.atlas.build_atlas`) stands for the networks.
    """
    model = run.model
    header = {
        "schema": 1,
        "id": run.id,
        "name": run.name,
        "shape": list(model.shape),
        "latent": describe_latent(model),
        "prior": model.prior.describe(),
        "likelihood": model.likelihood.describe(),
        "networks": _describe_networks(model, half) if atlas is None else None,
        "atlas": atlas,
        "codes": _describe_own_codes(run, pictures, half, max_codes),
        "pictures": describe_pictures(pictures, packed),
        "classes": _class_names(run),
        "figures": describe_figures(run),
        "preprocessing": "handwriting" if is_handwriting(run.info.dataset) else "plain",
        "language": language,
        "text": dict(text or {}),
    }
    body = pack(header)
    header["fingerprint"] = hashlib.sha256(body).hexdigest()[:16]
    return pack(header)


def describe_latent(model: Any) -> dict[str, Any]:
    """Return what a model's code is: its kind, its size, and the bound of its log-variances."""
    return {
        "kind": model.latent_kind,
        "size": model.latent_dim,
        "logvarBound": model.logvar_bound,
    }


def _describe_networks(model: Any, half: bool) -> dict[str, Any] | None:
    from explorer.export.networks import count_multiply_adds, count_weights, describe_network

    weights = count_weights(model.encoder, model.decoder)
    if weights > MAX_BROWSER_WEIGHTS:
        return None
    try:
        cost = count_multiply_adds(model.decoder, (model.latent_dim,))
        if cost > MAX_BROWSER_MULTIPLY_ADDS:
            return None
        encoder = describe_network(model.encoder, model.shape, half)
        decoder = describe_network(model.decoder, (model.latent_dim,), half)
    except ExplorerError:
        return None  # A layer that the browser does not know: the server decodes.
    return {"weights": weights, "multiplyAdds": cost, "encoder": encoder, "decoder": decoder}


def describe_codes(run: Any, half: bool, max_codes: int = MAX_CODES) -> dict[str, Any] | None:
    """Return the codes with their ids, classes, KL per latent and range; None without codes."""
    codes = run.codes()
    if codes is None:
        return None
    mean = np.asarray(codes.mean, np.float32)
    kl = None if codes.logvar is None else kl_of_codes(mean, np.asarray(codes.logvar))
    keep = np.isfinite(mean).all(1)
    if kl is not None:
        keep &= np.isfinite(kl).all(1)
    rows = np.flatnonzero(keep)[:max_codes]
    mean, ids = mean[rows], np.asarray(codes.ids)[rows]
    labels = None if codes.labels is None else np.asarray(codes.labels)[rows]
    low, high = None, None
    if len(mean):
        with np.errstate(over="ignore", invalid="ignore"):
            low, high = np.quantile(mean, (0.025, 0.975), axis=0)
    stored = shorten(mean)
    if half or mean.nbytes > MAX_CODE_BYTES:
        stored = mean.astype(np.float16)
    straight = bool(len(ids)) and np.array_equal(ids, np.arange(ids[0], ids[0] + len(ids)))
    return {
        "mean": stored,
        "labels": None if labels is None else _narrow(labels),
        "ids": int(ids[0]) if straight else ids.astype(np.int32),
        "kl": None if kl is None or not len(mean) else _list_finite(kl[rows].mean(0)),
        "spread": _list_finite(mean.std(0, dtype=np.float64)) if len(mean) else None,
        "low": _list_finite(low),
        "high": _list_finite(high),
    }


def _list_finite(values: Array | None) -> list[float] | None:
    """Return values as JSON has them; None where there are none, or more than a number holds."""
    return values.tolist() if values is not None and np.isfinite(values).all() else None


def _describe_own_codes(
    run: Any, pictures: Pictures | None, half: bool, max_codes: int
) -> dict[str, Any] | None:
    """Return the codes and their factors; no KL where the prior gives it no meaning per latent."""
    codes = describe_codes(run, half, max_codes)
    if codes is None:
        return None
    codes = add_factors(codes, {} if pictures is None else pictures.factors)
    return codes if run.model.prior.has_shares else {**codes, "kl": None}


def add_factors(codes: dict[str, Any], factors: Mapping[str, Array]) -> dict[str, Any]:
    """Return codes as `describe_codes` does, with what `factors` tell of their images."""
    ids = codes["ids"]
    if isinstance(ids, int):
        ids = np.arange(ids, ids + len(codes["mean"]))
    return {**codes, "factors": describe_factors(factors, ids, codes["labels"])}


def describe_pictures(pictures: Pictures | None, packed: bool) -> dict[str, Any] | None:
    """Return pictures with their labels, ids and source, `packed` as a sheet; None without any."""
    if pictures is None or not len(pictures.images):
        return None
    pixels = np.asarray(pictures.images, np.uint8)
    packed = packed and pixels.shape[1] == 3
    return {
        "pixels": None if packed else pixels,
        "sheet": pack_sheet(pixels) if packed else None,
        "labels": None if pictures.labels is None else _narrow(pictures.labels),
        "ids": np.asarray(pictures.ids, np.int32),
        "source": pictures.source,
        "credit": pictures.credit,
    }


def _narrow(labels: Array) -> Array:
    """Class numbers as bytes where they fit."""
    return np.asarray(labels, np.uint8 if len(labels) and labels.max() < 256 else np.int32)


def _class_names(run: Any) -> list[str]:
    dataset = run.info.dataset
    return [] if dataset is None else list(dataset.class_names)


def describe_figures(run: Any) -> dict[str, Any]:
    """Return β, whether weights imply it or a hand moved it, and the best held-out figures."""
    split = run.info.best_split
    config = run.info.config
    figures: dict[str, Any] = {
        "beta": run.info.beta if config is None else config.objective.beta,
        "implied": config is None and run.info.model.is_beta_implied,
        "split": split,
    }
    used = find_beta(run) if "beta" in run.info.timing else None
    if used is not None and used.is_moved:
        figures["moved"] = f"{used.planned:g} → {used.now:g}"
    for name in ("elbo", "reconstruction", "kl"):
        value = run.info.best_results.get(name)
        figures[name] = None if value is None or not np.isfinite(value) else float(value)
    return figures


def is_handwriting(known: DatasetInfo | None) -> bool:
    """Tell whether a run's images are grey ones that were written by hand."""
    if known is None or known.name not in DATASETS or known.shape[0] != 1:
        return False
    return DATASETS[known.name].handwriting
