"""How a foreign encoder and decoder are read: layout, range, heads, spread, code, output.

A `Reading` is what the probe finds and `run.json` keeps. Applied to a pair it gives canonical
networks: the encoder takes pixels (C, H, W) in [0, 1] and puts out mean and log-variance side by
side, (2K,); the decoder takes a code (K,) and puts out what our likelihoods take, (C, H, W).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from explorer.errors import ExplorerError
from explorer.models.adopted.foreign import Foreign
from explorer.models.adopted.layers.modules import Shape
from explorer.models.adopted.layers.network import Network, build_network
from explorer.models.adopted.layers.schema import Layer, Layers
from explorer.models.adopted.layers.simplify import make_affine, simplify, straighten_tail

Image = tuple[int, int, int]
Scaling = tuple[float | tuple[float, ...], float | tuple[float, ...]]
"""Scale and shift of pixels in [0, 1], one number each or one per channel."""

LAYOUTS = ("NCHW", "NHWC", "flat", "flat NHWC", "NHW")
"""Of pixels: flat is (C·H·W,), flat NHWC (H·W·C,); NHW leaves out the one channel."""
LOG, DOUBLE, HALF = Layer("log"), make_affine(torch.tensor(2.0), None), torch.tensor(0.5)
SPREADS: dict[str, Layers] = {
    "log-variance": (),
    "log-sd": (DOUBLE,),
    "sd": (LOG, DOUBLE),
    "variance": (LOG,),
    "softplus-sd": (Layer("softplus"), LOG, DOUBLE),
    "softplus-variance": (Layer("softplus"), LOG),
}
"""What the second head means, by the layers that make a log-variance of it."""
UNIT: dict[str, Layers] = {
    "unit": (),
    "signed": (make_affine(HALF, HALF),),
    "bytes": (make_affine(torch.tensor(1 / 255), None),),
}
"""What the decoder's pixels are, by the layers that bring them to [0, 1]: they lie in [0, 1],
[−1, 1] or [0, 255]. "logits" and "as input" (scaled like the encoder's pixels) come beside these.
"""
OUTPUTS = ("logits", *UNIT, "as input")
FITS = ("none", "pad", "resize")


@dataclass(frozen=True)
class Cut:
    """Every `step`-th value from `start` to before `stop` of a network's flat row."""

    start: int
    stop: int
    step: int = 1

    def of(self, flat: Tensor) -> Tensor:
        """Return those columns of (B, total)."""
        return flat[:, self.start : self.stop : self.step]

    def layer(self) -> Layer:
        """Return the same as a layer."""
        settings = {"axis": 0, "start": self.start, "stop": self.stop, "step": self.step}
        return Layer("slice", settings)

    def __len__(self) -> int:
        return len(range(self.start, self.stop, self.step))


@dataclass(frozen=True)
class Reading:
    """One way to understand a pair of networks.

    Pixels u in [0, 1] enter as u·scale + shift, one number each or one per channel. `mean` and
    `spread_at` say where the two heads lie in the encoder's flat row, `pixels` where the picture
    lies in the decoder's. `fit` says how images of another size were brought to the network's.
    """

    layout: str
    scale: float | tuple[float, ...]
    shift: float | tuple[float, ...]
    heads: str
    mean: Cut
    spread_at: Cut
    spread: str
    code_shape: Shape = ()
    output: str = "unit"
    output_layout: str = "flat"
    pixels: Cut = Cut(0, 0)
    fit: str = "none"

    @property
    def latent_dim(self) -> int:
        """K."""
        return len(self.mean)

    def to_dict(self) -> dict[str, Any]:
        """Return what run.json keeps of it, in plain words and numbers."""
        scale, shift = (
            list(value) if isinstance(value, tuple) else value for value in (self.scale, self.shift)
        )
        return {
            "input": {"layout": self.layout, "scale": scale, "shift": shift, "fit": self.fit},
            "heads": self.heads,
            "spread": self.spread,
            "output": self.output,
            "output_layout": self.output_layout,
            "latent_dim": self.latent_dim,
        }


def input_layers(reading: Reading, image: Image) -> Layers:
    """Return the layers that bring pixels (C, H, W) in [0, 1] to what the encoder takes."""
    scale, shift = (channel_constant(value) for value in (reading.scale, reading.shift))
    return (make_affine(scale, shift), *lay_out(reading.layout, image))


def channel_constant(value: float | tuple[float, ...]) -> Tensor:
    """Return one number, or one per channel, so that it broadcasts over pictures."""
    constant = torch.tensor(value, dtype=torch.float32)
    return constant.view(-1, 1, 1) if constant.ndim else constant


def lay_out(layout: str, image: Image) -> Layers:
    """Return the layers from (C, H, W) to a layout."""
    channels, height, width = image
    flat = Layer("reshape", {"shape": [math.prod(image)]})
    last = Layer("permute", {"order": [1, 2, 0]})
    return {
        "NCHW": (),
        "NHWC": (last,),
        "flat": (flat,),
        "flat NHWC": (last, flat),
        "NHW": (Layer("reshape", {"shape": [height, width]}),),
    }[layout]


def shape_of_layout(layout: str, image: Image) -> Shape:
    """Return the shape without the batch that pixels have in a layout."""
    channels, height, width = image
    size = math.prod(image)
    return {
        "NCHW": image,
        "NHWC": (height, width, channels),
        "flat": (size,),
        "flat NHWC": (size,),
        "NHW": (height, width),
    }[layout]


def layouts_of(shape: Shape, image: Image) -> list[str]:
    """Return the layouts in which pixels (C, H, W) have `shape`, the usual one first."""
    found = [layout for layout in LAYOUTS if shape_of_layout(layout, image) == tuple(shape)]
    if image[0] == 1:  # Without colours these are the same.
        return [layout for layout in found if layout != "flat NHWC"]
    return [layout for layout in found if layout != "NHW"]


def lay_back(layout: str, image: Image) -> Layers:
    """Return the layers from a flat row in a layout to (C, H, W)."""
    channels, height, width = image
    if layout in ("NHWC", "flat NHWC"):
        inner = Layer("reshape", {"shape": [height, width, channels]})
        return inner, Layer("permute", {"order": [2, 0, 1]})
    return (Layer("reshape", {"shape": list(image)}),)


def output_layers(reading: Reading, logits: bool) -> Layers:
    """Return the layers from the decoder's pixels to logits, or to means in [0, 1]."""
    if reading.output == "logits":
        return () if logits else (Layer("sigmoid"),)
    if reading.output == "as input":
        scale, shift = (channel_constant(value) for value in (reading.scale, reading.shift))
        back: Layers = (make_affine(1 / scale, -shift / scale),)
    else:
        back = UNIT[reading.output]
    return (*back, Layer("logit")) if logits else back


def unit_sigma2(reading: Reading, sigma2: float) -> float:
    """Return a Gaussian's variance for pixels in [0, 1], from that in the decoder's own units."""
    scale = {"signed": 2.0, "bytes": 255.0, "as input": reading.scale}.get(reading.output, 1.0)
    if isinstance(scale, tuple):
        scale = math.exp(sum(math.log(abs(value)) for value in scale) / len(scale))
    return sigma2 / scale**2


def read_encoder(encoder: Foreign, reading: Reading, image: Image) -> Network:
    """Return the canonical encoder (C, H, W) → (2K,): mean and log-variance side by side."""
    mean = (reading.mean.layer(),)
    spread = (reading.spread_at.layer(), *SPREADS[reading.spread])
    heads = Layer("concat", {"axis": 0}, {}, (mean, spread))
    layers = simplify([*input_layers(reading, image), *encoder.layers, heads], image)
    return build_network(straighten_tail(layers, image), image, "the encoder")


def read_decoder(decoder: Foreign, reading: Reading, image: Image, logits: bool) -> Network:
    """Return the canonical decoder (K,) → (C, H, W): logits, or means in [0, 1]."""
    layers = [
        Layer("reshape", {"shape": list(reading.code_shape)}),
        *decoder.layers,
        reading.pixels.layer(),
        *lay_back(reading.output_layout, image),
        *output_layers(reading, logits),
    ]
    code = (reading.latent_dim,)
    return build_network(simplify(layers, code), code, "the decoder")


def fit_images(images: np.ndarray, size: Sequence[int], fit: str) -> np.ndarray:
    """Return uint8 images (N, C, H, W) at (height, width): padded by black, or resized."""
    height, width = size
    if fit == "none" or images.shape[2:] == (height, width):
        return images
    if fit == "resize":
        x = torch.from_numpy(np.array(images)).float()
        resized = functional.interpolate(
            x, (height, width), mode="bilinear", align_corners=False, antialias=True
        )
        return resized.round().clamp(0, 255).to(torch.uint8).numpy()
    missing = height - images.shape[2], width - images.shape[3]
    if min(missing) < 0:
        raise ExplorerError("Images larger than the network's cannot be padded: resize them.")
    around = [(n // 2, n - n // 2) for n in missing]
    return np.pad(images, ((0, 0), (0, 0), *around))
