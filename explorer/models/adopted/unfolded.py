"""What layers.json holds besides its own layers: the networks by the names of their state_dict.

"original": {"encoder": {"shape": [3, 32, 32], "layers": […],
                         "outputs": [{"name": "output 0", "shape": [8], "role": ""}, …]},
             "decoder": {…}, "reading": {"layout": "NCHW", "scale": 2.0, …}}
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import Foreign
from explorer.models.adopted.originals import Original, describe_constant
from explorer.models.adopted.question import Fit, told_by
from explorer.models.adopted.reading import FITS, LAYOUTS, OUTPUTS, SPREADS
from explorer.models.adopted.weights import describe_layers

CHOICES: dict[str, Sequence[str]] = {
    "layout": LAYOUTS,
    "output_layout": LAYOUTS,
    "fit": FITS,
    "spread": tuple(SPREADS),
    "output": OUTPUTS,
}


def describe_original(fit: Fit) -> dict[str, Any] | None:
    """Return encoder and decoder as they were drawn, by the names of their state_dict.

    Parts that are no methods of one module have their names behind "encoder." and "decoder.".
    None where either cannot be told by names, see `keep_original`.
    """
    pair = fit.encoder, fit.decoder
    encoder, decoder = (foreign.original for foreign in pair)
    if encoder is None or decoder is None:
        return None
    fronts = ("", "") if encoder.owners & decoder.owners else ("encoder.", "decoder.")
    described: dict[str, Any] = {
        "encoder": _describe(fit.encoder, encoder, fronts[0]),
        "decoder": _describe(fit.decoder, decoder, fronts[1]),
    }
    return described | {"reading": told_by(fit.reading.to_dict())}


def check_told(reading: Any, where: str) -> dict[str, Any]:
    """Return what a file tells of its reading; raise ExplorerError for what nobody could mean."""
    told = reading if isinstance(reading, Mapping) else {}
    known = all(told[name] in CHOICES[name] for name in CHOICES if name in told)
    numbers = all(_are_numbers(told[name]) for name in ("scale", "shift") if name in told)
    words = isinstance(told.get("heads", ""), str)
    if not (known and numbers and words) or set(told) - {*CHOICES, "scale", "shift", "heads"}:
        raise ExplorerError(f"{where} has a reading that is none: write it as adopt does.")
    return {name: value for name, value in told.items() if (name, value) != ("fit", "none")}


def _describe(foreign: Foreign, original: Original, front: str) -> dict[str, Any]:
    """Return one network, each weight by its name and each constant as it is."""

    def keep(tensor: Tensor) -> Any:
        name = original.name_of(tensor)
        return describe_constant(tensor) if name is None else f"{front}{name}"

    return {
        "shape": list(foreign.shape),
        "layers": describe_layers(original.layers, keep),
        "outputs": [
            {"name": part.name, "shape": list(part.shape), "role": part.role}
            for part in foreign.segments
        ],
    }


def _are_numbers(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return 0 < len(values) <= 3 and all(
        type(number) in (int, float) and 1e-6 <= abs(number) <= 1e6 or number == 0
        for number in values
    )
