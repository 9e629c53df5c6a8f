"""Points decoded in advance: a grid of one or two latents, traversals of more."""

import numpy as np
import pytest
import torch

from explorer.export.atlas import SIDE, STEPS, TRAVERSED, build_atlas, choose_points
from tests.export.test_payload import make_run
from tests.export.test_sheet import open_sheet

NONE = np.zeros((0, 2), np.float32)


def test_two_latents_have_a_grid_of_quarters_where_the_prior_lies():
    points = choose_points(2, [0, 1], None, None, NONE)
    assert points.shape == (SIDE**2, 2) and points.min() == -4 and points.max() == 4
    assert np.unique(points[:, 1]).tolist() == np.arange(-4, 4.25, 0.25).tolist()
    assert len(np.unique(points, axis=0)) == SIDE**2
    assert choose_points(1, [0], None, None, NONE[:, :1]).shape == (SIDE, 1)


def test_codes_without_a_prior_have_a_grid_over_their_range():
    points = choose_points(2, [0, 1], np.array([0.0, -10]), np.array([1.0, 10]), NONE)
    assert points.min(0).tolist() == pytest.approx([-0.1, -12])
    assert points.max(0).tolist() == pytest.approx([1.1, 12])


def test_more_latents_are_traversed_one_by_one_then_come_the_pictures_codes():
    size = TRAVERSED + 4
    codes = np.random.default_rng(0).normal(size=(5, size)).astype(np.float32)
    order = list(range(size))[::-1]
    points = choose_points(size, order, None, None, codes)
    assert points.shape == (TRAVERSED * STEPS + 5, size) and np.array_equal(points[-5:], codes)
    first = points[:STEPS]
    assert first[:, order[0]].tolist() == np.linspace(-3, 3, STEPS).tolist()
    assert not np.delete(first, order[0], axis=1).any()
    assert not points[: TRAVERSED * STEPS][:, order[TRAVERSED:]].any()


@pytest.mark.parametrize("name", ["conv", "point"])
def test_each_point_has_the_decoders_mean_and_each_picture_its_code(name):
    model = make_run(name).model
    images = np.random.default_rng(1).integers(0, 256, (6, *model.shape), dtype=np.uint8)
    atlas = build_atlas(model, images, [2, 0, 1], None, None)
    points = torch.from_numpy(atlas["points"])
    with torch.no_grad():
        means = (255 * model.decode(points).mean.clamp(0, 1)).round().numpy()
        code, logvar = model.encode_parameters(torch.from_numpy(images / np.float32(255)))
    found = open_sheet(atlas["sheet"], model.shape).astype(float)
    # Weights at random make grain, which JPEG keeps least well; a wrong picture is off by 30.
    tolerance = 0 if atlas["sheet"]["type"] == "image/webp" else 10
    assert np.abs(found - means.reshape(found.shape)).mean() <= tolerance
    assert np.allclose(atlas["mean"], code.numpy(), atol=1e-5)
    assert (atlas["logvar"] is None) == (logvar is None)


def test_without_pictures_there_are_no_codes():
    atlas = build_atlas(make_run("mlp").model, None, [0, 1, 2], None, None)
    assert atlas["mean"] is None and atlas["logvar"] is None
    assert len(atlas["points"]) == 3 * STEPS == atlas["sheet"]["count"]
