"""Readings applied: layouts there and back, ranges, units, and images brought to another size."""

import math

import numpy as np
import pytest
import torch

from explorer.errors import ExplorerError
from explorer.models.adopted.candidates import enter, ranges_of, sizes_of
from explorer.models.adopted.foreign import from_layers
from explorer.models.adopted.judge import log_variance
from explorer.models.adopted.layers.network import build_network
from explorer.models.adopted.layers.schema import Layer
from explorer.models.adopted.layers.simplify import make_affine
from explorer.models.adopted.reading import (
    LAYOUTS,
    SPREADS,
    Cut,
    Reading,
    fit_images,
    lay_back,
    lay_out,
    layouts_of,
    read_decoder,
    read_encoder,
    shape_of_layout,
    unit_sigma2,
)

COLOUR, GREY = (3, 4, 5), (1, 4, 5)


def reading(**changes):
    values = {
        "layout": "NCHW", "scale": 1.0, "shift": 0.0, "heads": "halves", "mean": Cut(0, 2),
        "spread_at": Cut(2, 4), "spread": "log-variance", "code_shape": (2,), **changes,
    }  # fmt: skip
    return Reading(**values)


def pictures(shape, count=3):
    return torch.rand((count, *shape), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("image", [COLOUR, GREY])
def test_a_layout_leads_there_and_back(layout, image):
    if layout == "NHW" and image[0] > 1:
        return
    x = pictures(image)
    there = build_network(lay_out(layout, image), image) if lay_out(layout, image) else None
    laid = x if there is None else there(x)
    assert tuple(laid.shape[1:]) == shape_of_layout(layout, image)
    back = build_network(lay_back(layout, image), (math.prod(image),))
    assert torch.equal(back(laid.flatten(1)), x)
    assert torch.equal(enter(x, layout, (2.0, -1.0)), 2 * laid - 1)
    assert layout in layouts_of(shape_of_layout(layout, image), image) or layout == "flat NHWC"


def test_channels_last_is_what_numpy_says():
    x = pictures(COLOUR)
    expected = np.ascontiguousarray(x.numpy().transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(enter(x, "NHWC", (1.0, 0.0)).numpy(), expected)
    flat = enter(x, "flat NHWC", (1.0, 0.0)).numpy()
    np.testing.assert_array_equal(flat, expected.reshape(3, -1))


@pytest.mark.parametrize("spread", SPREADS)
def test_a_spread_becomes_the_log_variance_that_it_means(spread):
    logvar = torch.linspace(-6, 2, 9)[:, None]
    sd = torch.exp(logvar / 2)
    raw = {
        "log-variance": logvar,
        "log-sd": logvar / 2,
        "sd": sd,
        "variance": sd**2,
        "softplus-sd": torch.log(torch.expm1(sd)),
        "softplus-variance": torch.log(torch.expm1(sd**2)),
    }[spread]
    torch.testing.assert_close(log_variance(raw, spread), logvar, rtol=1e-4, atol=1e-4)
    part = build_network([Layer("flatten"), *SPREADS[spread]], (1,))
    torch.testing.assert_close(part(raw), logvar, rtol=1e-4, atol=1e-4)


def test_a_spread_that_cannot_be_is_none():
    assert log_variance(torch.tensor([[-1.0]]), "sd") is None
    assert log_variance(torch.tensor([[30.0]]), "log-variance") is None
    assert log_variance(torch.tensor([[float("nan")]]), "log-sd") is None


def test_an_encoder_is_brought_to_pixels_in_and_both_heads_out():
    """It takes bytes, channels last, and gives σ and μ interleaved."""
    size = math.prod(COLOUR)
    torch.manual_seed(0)
    linear = Layer("linear", {}, {"weight": torch.randn(4, size) / 255})
    foreign = from_layers([Layer("flatten"), linear, Layer("exp")], (4, 5, 3), "it")
    said = reading(
        layout="NHWC", scale=255.0, spread="sd", mean=Cut(1, 4, 2), spread_at=Cut(0, 4, 2)
    )
    x = pictures(COLOUR)
    raw = foreign.network(255 * x.permute(0, 2, 3, 1))
    expected = torch.cat([raw[:, 1::2], 2 * raw[:, 0::2].log()], 1)
    found = read_encoder(foreign, said, COLOUR)
    assert found.shape == COLOUR and found.shape_out == (4,)
    torch.testing.assert_close(found(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("output", ["logits", "unit", "signed", "bytes", "as input"])
def test_a_decoder_is_brought_to_logits_or_to_means(output):
    size = math.prod(COLOUR)
    torch.manual_seed(0)
    body = [Layer("linear", {}, {"weight": torch.randn(size, 2)})]
    ends = {
        "logits": [],
        "unit": [Layer("sigmoid")],
        "signed": [Layer("sigmoid"), make_affine(torch.tensor(2.0), torch.tensor(-1.0))],
        "bytes": [Layer("sigmoid"), make_affine(torch.tensor(255.0), None)],
        "as input": [Layer("sigmoid"), make_affine(torch.tensor(4.0), torch.tensor(-0.5))],
    }[output]
    foreign = from_layers([*body, *ends], (2,), "it")
    said = reading(
        output=output, output_layout="flat NHWC", pixels=Cut(0, size), scale=4.0, shift=-0.5
    )
    z = torch.randn((6, 2))
    logits = build_network(body, (2,))(z).view(6, 4, 5, 3).permute(0, 3, 1, 2)
    found = read_decoder(foreign, said, COLOUR, logits=True)
    torch.testing.assert_close(found(z), logits, rtol=1e-4, atol=1e-4)
    # The last sigmoid is taken off, so that no logit is lost in rounding.
    assert [layer.kind for layer in found.layers] == ["linear", "reshape"]
    means = read_decoder(foreign, said, COLOUR, logits=False)
    torch.testing.assert_close(means(z), torch.sigmoid(logits), rtol=1e-4, atol=1e-5)


def test_a_variance_changes_with_the_pixels_unit():
    assert unit_sigma2(reading(output="unit"), 0.5) == 0.5
    assert unit_sigma2(reading(output="signed"), 0.5) == 0.125
    assert unit_sigma2(reading(output="bytes"), 650.25) == pytest.approx(0.01)
    assert unit_sigma2(reading(output="as input", scale=(2.0, 8.0)), 1.0) == pytest.approx(1 / 16)


def test_images_are_padded_or_resized():
    images = np.arange(2 * 4, dtype=np.uint8).reshape(1, 2, 2, 2) * 30
    padded = fit_images(images, (4, 5), "pad")
    assert padded.shape == (1, 2, 4, 5) and padded[0, 0, 1:3, 1:3].tolist() == images[0, 0].tolist()
    assert padded.sum() == images.sum()
    constant = np.full((1, 1, 4, 4), 77, np.uint8)
    assert (fit_images(constant, (8, 6), "resize") == 77).all()
    assert fit_images(images, (2, 2), "resize") is images
    with pytest.raises(ExplorerError, match="resize them"):
        fit_images(images, (1, 2), "pad")


def test_standardised_pixels_are_known_by_the_images_or_by_what_everybody_copies():
    rng = np.random.default_rng(0)
    plain = rng.integers(0, 256, (50, 3, 4, 4), dtype=np.uint8)
    scalings = ranges_of(plain, {})
    known = [(1.0, 0.0), (2.0, -1.0), (255.0, 0.0), (1.0, -0.5)]
    assert scalings[:4] == known and len(scalings) == 6
    scale, shift = scalings[5]
    x = torch.from_numpy(plain).float() / 255
    z = enter(x, "NCHW", (scale, shift))
    torch.testing.assert_close(z.mean((0, 2, 3)), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(z.std((0, 2, 3)), torch.ones(3), atol=1e-2, rtol=0)
    assert ranges_of(plain, {"scale": [1, 2, 3]}) == [((1.0, 2.0, 3.0), 0.0)]


def test_the_size_of_images_is_read_off_an_input():
    assert sizes_of((3, 32, 40), 3) == [(32, 40)]
    assert sizes_of((32, 40, 3), 3) == [(32, 40)]
    assert sizes_of((1024,), 1) == [(32, 32)] and sizes_of((1025,), 1) == []
    assert sizes_of((3072,), 3) == [(32, 32)] and sizes_of((32, 32), 1) == [(32, 32)]
