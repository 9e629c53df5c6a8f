"""run.json read back.

Anybody may have written it, so every value is checked here, once, for all that read it.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from explorer.config import Config
from explorer.errors import ExplorerError, shorten
from explorer.facts import LATENTS
from explorer.runs.fields import Fields, WrongField
from explorer.runs.info import (
    FIGURES,
    LARGEST_LATENT,
    LATEST,
    MODEL_KINDS,
    STATES,
    DatasetInfo,
    LikelihoodInfo,
    ModelInfo,
    RunInfo,
    Status,
    UnreadableRun,
    describe_config,
)

READABLE = (1, 2)
"""Schemas of run.json that are read; the last is what is written."""
_FIRST_KINDS = {"builtin": "config", "exported": "none", "none": "none"}
"""What schema 1 called them."""
LARGEST_SIDE, MOST_PIXELS = 65_536, 2**28


def read_info(values: Mapping[str, Any], where: str) -> RunInfo:
    """Read run.json's content; an unknown schema is an ExplorerError."""
    schema = values.get("schema")
    if schema not in READABLE or isinstance(schema, bool):
        shown = shorten(repr(schema), 40) if isinstance(schema, str | int | None) else "none"
        raise UnreadableRun(
            f"{where} was written by another version (schema {shown}; this version reads "
            f"schemas {READABLE[0]} and {READABLE[-1]}).",
            "version",
            shown,
        )
    incomplete = f"{where} is not a complete run description"
    try:
        return _read(Fields(values))
    except WrongField as error:
        message = f"{incomplete}: {error} is missing or not what it must be."
        raise UnreadableRun(message, "part", str(error)) from error
    except (ExplorerError, TypeError) as error:
        raise UnreadableRun(f"{incomplete}: {error}", "part", "config") from error
    except RecursionError as error:
        raise UnreadableRun(f"{incomplete}: it is nested too deeply.") from error


def check_info(info: RunInfo) -> RunInfo:
    """Return what run.json is to hold; an ExplorerError for what could not be read again."""
    try:
        content = json.loads(json.dumps(info.to_dict(), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ExplorerError(
            "A run is described by plain numbers, text, lists and tables."
        ) from error
    read_info(content, "This run")
    return info


def _check_results(results: Fields, latent_dim: int) -> None:
    """Raise WrongField unless the figures that pages show, by split, are numbers."""
    for name in results:
        split = results.part(name)
        for figure in FIGURES:
            if figure in set(split):
                split.number(figure)
        if "kl_per_dim" in set(split):
            split.numbers("kl_per_dim", latent_dim)


def _check_timing(timing: Fields) -> None:
    """Raise WrongField unless every entry is a number."""
    for name in timing:
        timing.number(name)


def _read(fields: Fields) -> RunInfo:
    is_first = fields.whole("schema") == 1
    values = fields.any("config")
    config = None if values is None else Config.from_dict(values)
    name = "dataset" if is_first else "images"
    dataset = None if fields.is_none(name) else _read_dataset(fields.part(name), is_first)
    info = RunInfo(
        config=config,
        model=(_read_first_model if is_first else _read_model)(fields, config, dataset),
        dataset=dataset,
        planned_steps=None if fields.is_none("planned_steps") else fields.whole("planned_steps"),
        status=_read_status(fields.part("status")),
        created=fields.number("created", 0, LATEST),
        versions={name: fields.part("versions").text(name) for name in fields.part("versions")},
        results=fields.any("results"),
        timing=fields.any("timing"),
    )
    _check_results(fields.part("results"), info.latent_dim)
    _check_timing(fields.part("timing"))
    if config is not None:
        model = config.model
        if (model.latent, model.latent_dim) != (info.latent_kind, info.latent_dim):
            raise WrongField("latent" if is_first else "model.latent")
    return info


def _read_first_model(
    fields: Fields, config: Config | None, dataset: DatasetInfo | None
) -> ModelInfo:
    """Read what schema 1 says of the model: its kind and latents; the rest is in the config."""
    kind = _FIRST_KINDS.get(fields.part("model").text("kind"))
    if kind is None:
        raise WrongField("model.kind")
    latent = fields.part("latent")
    latent_kind, dim = latent.text("kind"), latent.whole("dim", 1, LARGEST_LATENT)
    if latent_kind not in LATENTS:
        raise WrongField("latent.kind")
    shape = None if dataset is None else dataset.shape
    if config is None:
        return ModelInfo(kind, latent_kind, dim, shape)
    return dataclasses.replace(
        describe_config(config.model, kind, shape), latent_kind=latent_kind, latent_dim=dim
    )


def _read_model(fields: Fields, config: Config | None, dataset: DatasetInfo | None) -> ModelInfo:
    model = fields.part("model")
    latent = model.part("latent")
    kind, latent_kind = model.text("kind"), latent.text("kind")
    if kind not in MODEL_KINDS:
        raise WrongField("model.kind")
    if latent_kind not in LATENTS:
        raise WrongField("model.latent.kind")
    if kind == "config" and config is None:
        raise WrongField("config")
    if not model.is_none("adopted"):
        model.part("adopted")
    return ModelInfo(
        kind=kind,
        latent_kind=latent_kind,
        latent_dim=latent.whole("dim", 1, LARGEST_LATENT),
        shape=None if model.is_none("shape") else _read_shape(model),
        prior=model.part("prior").text("name", 40),
        likelihood=None if model.is_none("likelihood") else _read_likelihood(model),
        adopted=model.any("adopted"),
    )


def _read_likelihood(model: Fields) -> LikelihoodInfo:
    fields = model.part("likelihood")
    truths = {}
    for name in ("binarise", "told"):
        truths[name] = fields.any(name)
        if not isinstance(truths[name], bool) and not (name == "binarise" and truths[name] is None):
            raise WrongField(fields.path(name))
    sigma2 = None if fields.is_none("sigma2") else fields.number("sigma2", 0)
    return LikelihoodInfo(fields.text("name", 60), sigma2, truths["binarise"], truths["told"])


def _read_shape(fields: Fields) -> tuple[int, int, int]:
    shape = fields.wholes("shape", 1, LARGEST_SIDE)
    if len(shape) != 3 or math.prod(shape) > MOST_PIXELS:
        raise WrongField(fields.path("shape"))
    channels, height, width = shape
    return channels, height, width


def _read_dataset(fields: Fields, is_first: bool) -> DatasetInfo:
    return DatasetInfo(
        fields.text("name", 200),
        _read_shape(fields),
        fields.texts("class_names"),
        fields.text("fingerprint", 200),
        "" if is_first else fields.text("pixels", 200),
    )


def _read_status(fields: Fields) -> Status:
    """Read a status; what is not there is as at the start, what is not known is an error."""
    kinds = Status.__annotations__
    values: dict[str, Any] = {}
    for name in fields:
        if name not in kinds:
            raise WrongField(fields.path(name))
        if kinds[name] is str:
            values[name] = fields.text(name)
        elif kinds[name] is float:
            values[name] = fields.number(name)
        else:
            values[name] = fields.whole(name)
    status = Status(**values)
    if status.state not in STATES:
        raise WrongField(fields.path("state"))
    return status
