"""A model of ours behind every convention met in the wild, and what its answers mean."""

import functools

import numpy as np
import torch
from torch.nn import functional

from explorer.adopting.adopt import adopt
from explorer.datasets import load_dataset
from explorer.runs.store import open_run
from tests.helpers import present


@functools.cache
def shipped(name):
    """Return a shipped model and 300 images of its own test set."""
    run = open_run(name)
    return run.model, np.asarray(
        load_dataset(present(run.info.dataset).name).split("test").images[:300]
    )


def adopt_own(path, model, images, **more):
    """Adopt a model of ours by its own two functions, which score binary draws of grey images."""
    return adopt(
        path,
        encode=model.encode_parameters,
        decode=model.decoder,
        images=images,
        likelihood="bernoulli",
        binarise=True,
        **more,
    )


def inverse_softplus(y):
    return y + torch.log(-torch.expm1(-y))


# From pixels as the stranger sees them to [0, 1].
PIXELS = {
    "unit": lambda u: u,
    "signed": lambda u: (u + 1) / 2,
    "bytes": lambda u: u / 255,
    "centred": lambda u: u + 0.5,
    "standardised": lambda u: u * 0.3081 + 0.1307,
}
SCALES = {
    "unit": (1, 0),
    "signed": (2, -1),
    "bytes": (255, 0),
    "centred": (1, -0.5),
    "standardised": (3.2457, -0.4242),
}
# From log-variances to what the stranger calls its spread.
SPREADS = {
    "log-variance": lambda lv: lv,
    "log-sd": lambda lv: lv / 2,
    "sd": lambda lv: torch.exp(lv / 2),
    "variance": torch.exp,
    "softplus-sd": lambda lv: inverse_softplus(torch.exp(lv / 2)),
    "softplus-variance": lambda lv: inverse_softplus(torch.exp(lv)),
}
HEADS = {
    "two outputs: mean": lambda m, s: (m, s),
    "two outputs: spread": lambda m, s: (s, m),
    "halves: mean": lambda m, s: torch.cat([m, s], 1),
    "halves: spread": lambda m, s: torch.cat([s, m], 1),
    "interleaved: mean": lambda m, s: torch.stack([m, s], -1).flatten(1),
}
# From logits to the stranger's pictures.
PICTURES = {
    "logits": lambda logits: logits,
    "unit": torch.sigmoid,
    "signed": lambda logits: 2 * torch.sigmoid(logits) - 1,
    "bytes": lambda logits: 255 * torch.sigmoid(logits),
    "as input": lambda logits: torch.sigmoid(logits) - 0.5,  # of centred pixels
}


def strange_encoder(model, pixels="unit", heads="two outputs: mean", spread="log-variance"):
    def encode(x):
        mean, logvar = model.encode_parameters(PIXELS[pixels](x))
        return HEADS[heads](mean, SPREADS[spread](logvar))

    return encode


def strange_decoder(model, picture="logits", layout="NCHW"):
    def decode(z):
        x = PICTURES[picture](model.decoder(z))
        return {"NCHW": x, "NHWC": x.permute(0, 2, 3, 1), "flat": x.flatten(1)}[layout]

    return decode


def padded(model, before=2):
    """Return a pair for images with a border of 2, and one for images resized from 28 to 32."""
    around = [before] * 4
    inside = slice(before, -before)

    def encode(x):
        return model.encode_parameters(x[:, :, inside, inside])

    def decode(z):
        return functional.pad(torch.sigmoid(model.decoder(z)), around)

    return encode, decode
