"""Values of every range become bytes, by the range of the whole set."""

import numpy as np
import pytest

from explorer.archives.refused import Refused
from explorer.datasets.own.values import Extremes, Scales, check_range


def convert(*pictures):
    """Return each picture in bytes, by the scale that all together speak for, and its name."""
    extremes = Extremes()
    for picture in pictures:
        check_range(picture)
        extremes.add(picture)
    scales = extremes.scales()
    return [scales.to_bytes(picture) for picture in pictures], extremes.describe()


@pytest.mark.parametrize(
    ("values", "kind", "found", "named"),
    [
        ([0, 1, 0], np.uint8, [0, 255, 0], "0…1"),
        ([0, 4, 16], np.uint8, [0, 64, 255], "0…16"),
        ([0, 128, 255], np.uint8, [0, 128, 255], "0…255"),
        ([0, 17, 0], np.uint8, [0, 17, 0], "0…255"),
        ([0, 255], np.uint16, [0, 255], "0…255"),
        ([0, 1023], np.uint16, [0, 255], "0…1023 (10 bits)"),
        ([0, 2047, 4095], np.uint16, [0, 127, 255], "0…4095 (12 bits)"),
        ([0, 4096], np.uint16, [0, 64], "0…16383 (14 bits)"),
        ([0, 32896, 65535], np.uint16, [0, 128, 255], "0…65535 (16 bits)"),
        ([0.0, 0.5, 1.0], np.float32, [0, 128, 255], "0…1"),
        ([-1.0, 0.0, 1.0], np.float32, [0, 128, 255], "−1…1"),
        ([0.0, 8.0, 16.0], np.float32, [0, 128, 255], "0…16"),
        ([0.0, 100.4, 255.0], np.float32, [0, 100, 255], "0…255"),
        ([-0.02, 0.5, 1.03], np.float32, [0, 128, 255], "0…1"),
    ],
)
def test_a_set_is_stretched_over_the_bytes(values, kind, found, named):
    (converted,), name = convert(np.array(values, kind))
    assert converted.tolist() == found and converted.dtype == np.uint8
    assert name == named


def test_every_value_of_sixteen_bits_goes_to_the_nearest_byte():
    values = np.arange(65536, dtype=np.uint16)
    (converted,), _ = convert(values)
    assert np.abs(converted - values / 65535 * 255).max() <= 0.5


def test_a_dark_picture_among_bright_ones_stays_dark():
    dark = np.arange(4096, dtype=np.uint16)
    (alone,), _ = convert(dark)
    (among, _), _ = convert(dark, np.array([60_000], np.uint16))
    assert (alone.max(), among.max()) == (255, 16)


def test_each_kind_of_number_has_its_own_scale():
    kinds = [np.array([0, 200], np.uint8), np.array([0, 4095], np.uint16)]
    converted, name = convert(*kinds, np.array([0, 1], np.float32))
    assert [part.tolist() for part in converted] == [[0, 200], [0, 255], [0, 255]]
    assert name == "0…255, 0…4095 (12 bits), 0…1"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([np.nan, 0.5], "nan"),
        ([0.5, np.inf], "nan"),
        ([-2.1, 2.6], "values"),
        ([-0.4, 2.8], "values"),
        ([0.0, 1e6], "values"),
    ],
)
def test_numbers_on_no_scale_of_pictures_are_refused(values, told):
    with pytest.raises(Refused) as refused:
        check_range(np.array(values, np.float32))
    assert refused.value.reason == told


def test_whole_numbers_must_not_be_negative_nor_beyond_sixteen_bits():
    check_range(np.array([0, 65535]))
    for values in ([-1, 5], [0, 65536]):
        with pytest.raises(Refused, match="values"):
            check_range(np.array(values))


def test_bytes_that_need_no_change_are_not_copied():
    pixels = np.array([0, 255], np.uint8)
    assert Scales(255, 255, (0, 1)).to_bytes(pixels) is pixels
