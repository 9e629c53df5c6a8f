"""One picture file: turned, as deep as it is, of six formats only, and never too large."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import EpsImagePlugin, Image

from explorer.archives.refused import Refused
from explorer.datasets.own import pictures
from explorer.datasets.own.pictures import decode_picture, quiet_pillow
from explorer.datasets.report import REASONS
from tests.datasets.own.cases import draw, encode, huge_png, make_png

STAR = np.asarray(draw("star", seed=1))
# Higher than wide, and unlike itself in every turn.
UPRIGHT = np.zeros((6, 4, 3), np.uint8)
UPRIGHT[0, 0] = 255
UPRIGHT[1, 0] = 128
# How a camera stores the upright picture under each orientation (EXIF 2.3, tag 0x0112).
STORED = {
    1: UPRIGHT,
    2: UPRIGHT[:, ::-1],
    3: UPRIGHT[::-1, ::-1],
    4: UPRIGHT[::-1],
    5: UPRIGHT.transpose(1, 0, 2),
    6: np.rot90(UPRIGHT, 1),
    7: UPRIGHT[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(UPRIGHT, -1),
}


def reason(data):
    with pytest.raises(Refused) as refused, quiet_pillow():
        decode_picture(data)
    return refused.value.reason


def deep_png(pixels, colour_type):
    """A PNG of 16 bits, which Pillow itself does not write in colour."""
    height, width, _ = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return make_png((b"IHDR", head), (b"IDAT", zlib.compress(rows)))


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_pixels_that_are_kept_whole_come_back_whole(form):
    picture = decode_picture(encode(Image.fromarray(STAR), form))
    assert np.array_equal(picture.pixels, STAR)
    assert (picture.size, picture.turned, picture.animated) == ((64, 64), False, False)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_a_camera_turned_in_any_way_gives_the_upright_picture(orientation, form):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if form == "WEBP" else {}
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation]))
    picture = decode_picture(encode(stored, form, exif=exif, **options))
    assert np.array_equal(picture.pixels, UPRIGHT)
    assert picture.size == (6, 4)


def test_broken_metadata_leave_the_picture_as_it_is():
    data = encode(draw("star"), exif=b"Exif\0\0" + b"II*\0\xff\xff\xff\xff")
    with quiet_pillow():
        assert decode_picture(data).pixels.shape == (64, 64, 3)


def test_grey_of_sixteen_bits_keeps_them():
    pixels = np.arange(60, dtype=np.uint16).reshape(6, 10) * 1000
    for form in ("PNG", "TIFF"):
        found = decode_picture(encode(Image.fromarray(pixels), form)).pixels
        assert found.dtype == np.uint16 and np.array_equal(found[..., 0], pixels)


@pytest.mark.parametrize(("channels", "colour_type"), [(3, 2), (4, 6)])
def test_colours_of_sixteen_bits_keep_them(channels, colour_type):
    pixels = np.random.default_rng(0).integers(0, 65536, (5, 7, channels), dtype=np.uint16)
    found = decode_picture(deep_png(pixels, colour_type)).pixels
    assert found.dtype == np.uint16 and np.array_equal(found, pixels)


def test_grey_of_sixteen_bits_from_another_end_of_the_machine():
    pixels = np.array([[1, 256, 65535]], ">u2")
    head = struct.pack(">2sHI", b"MM", 42, 8)
    tags = [(256, 3, 3), (257, 3, 1), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 128)]
    tags += [(277, 3, 1), (278, 3, 1), (279, 4, 6)]
    fields = b"".join(
        struct.pack(">HHI", tag, kind, 1) + struct.pack(">HH" if kind == 3 else ">I", *values)
        for tag, kind, value in tags
        for values in [(value, 0) if kind == 3 else (value,)]
    )
    data = (head + struct.pack(">H", len(tags)) + fields + bytes(4)).ljust(128, b"\0")
    picture = decode_picture(data + pixels.tobytes())
    assert picture.pixels[0, :, 0].tolist() == [1, 256, 65535]


def test_floats_stay_floats_and_strange_ones_are_refused():
    floats = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(
        decode_picture(encode(Image.fromarray(floats), "TIFF")).pixels[..., 0], floats
    )
    for value, told in ((np.nan, "nan"), (np.inf, "nan"), (-3.0, "values"), (1e6, "values")):
        spoilt = floats.copy()
        spoilt[0, 0] = value
        assert reason(encode(Image.fromarray(spoilt), "TIFF")) == told


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_becomes_grey_colour_or_colour_with_alpha(mode):
    form = {"CMYK": "TIFF", "YCbCr": "TIFF"}.get(mode, "PNG")
    pixels = decode_picture(encode(draw("star").convert(mode), form)).pixels
    channels = {"1": 1, "L": 1, "LA": 4, "RGBA": 4}.get(mode, 3)
    assert pixels.shape == (64, 64, channels) and pixels.dtype == np.uint8


def test_colours_of_a_rare_kind_are_refused_by_name():
    lab = Image.new("LAB", (4, 4))
    assert reason(encode(lab, "TIFF")) == "colours"


def test_two_photographs_in_one_file_give_the_first(tmp_path):
    stream = io.BytesIO()
    first, second = draw("star", seed=1), draw("circle", seed=2)
    first.save(stream, "MPO", save_all=True, append_images=[second], quality=95)
    picture = decode_picture(stream.getvalue())
    assert np.abs(picture.pixels.astype(int) - STAR).mean() < 4
    assert not picture.animated


def test_an_animation_broken_after_its_first_frame_is_a_picture():
    frames = [draw("circle", 16, seed) for seed in range(3)]
    for form in ("GIF", "TIFF"):
        data = encode(frames[0], form, save_all=True, append_images=frames[1:])
        whole = decode_picture(data)
        first = decode_picture(data[: len(data) // 2])
        assert whole.animated and np.array_equal(first.pixels, whole.pixels)


def test_only_six_formats_are_tried_and_postscript_reaches_no_interpreter(monkeypatch):
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_: pytest.fail("it was called"))
    postscript = encode(draw("star"), "EPS")
    assert reason(postscript) == "format"
    for form in ("ICO", "PPM", "TGA", "JPEG2000", "PDF"):
        assert reason(encode(draw("star"), form)) == "format"


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it was decoded"))
    assert reason(huge_png()) == "pixels"
    assert reason(huge_png(10_000)) == "pixels", "where Pillow only warns"
    assert reason(huge_png(8_000)) == "pixels", "where Pillow says nothing"


def test_a_large_jpeg_is_decoded_small_and_says_how_large_it_was():
    data = encode(draw("star", 1600).resize((1600, 1200)))
    picture = decode_picture(data, (64, 64))
    assert picture.size == (1200, 1600)
    assert 64 * pictures.FINER <= picture.pixels.shape[0] < 600
    whole = decode_picture(data).pixels
    assert whole.shape == (1200, 1600, 3)


def test_a_large_jpeg_that_is_turned_says_how_large_it_is_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = decode_picture(encode(draw("star", 800).resize((800, 600)), exif=exif), (32, 32))
    assert picture.size == (800, 600) and picture.turned
    assert picture.pixels.shape[0] > picture.pixels.shape[1]


FORMS = [
    encode(draw("star", 16), form, **options)
    for form, options in (
        ("JPEG", {}),
        ("PNG", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {}),
    )
]


@given(st.sampled_from(FORMS), st.data())
def test_whatever_is_done_to_a_file_it_is_a_picture_or_it_is_refused(data, choose):
    spoilt = bytearray(data[: choose.draw(st.integers(1, len(data)))])
    for _ in range(choose.draw(st.integers(0, 8))):
        spoilt[choose.draw(st.integers(0, len(spoilt) - 1))] = choose.draw(st.integers(0, 255))
    try:
        with quiet_pillow():
            pixels = decode_picture(bytes(spoilt)).pixels
    except Refused as refused:
        assert refused.reason in REASONS
    else:
        assert pixels.ndim == 3 and pixels.shape[2] in (1, 3, 4)
