"""The images worth a look are what their notes say."""

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from explorer.analysis.inference.microscope import examine_image
from explorer.analysis.inference.posterior_grid import QUICK_RATIO, build_grid
from explorer.app.observation import Observation, find_telling
from explorer.elbo.encoding import encode_images
from explorer.export.pictures import find_pictures
from explorer.runs.store import find_run
from tests.helpers import present


def test_a_note_says_what_was_written_and_among_whose_codes_it_lands():
    run = find_run("mnist-2d")
    pictures = present(find_pictures(run, None))
    telling = find_telling(run.id, pictures)
    assert len(telling) == 4
    codes = present(run.codes())
    neighbours = KNeighborsClassifier(15).fit(codes.mean, codes.labels)
    places = list(telling)
    mean, _ = encode_images(run.model, pictures.images[places])
    found = zip(present(pictures.labels)[places], neighbours.predict(mean), strict=True)
    assert [f"{written} → {drawn}" for written, drawn in found] == list(telling.values())


def test_the_four_that_comes_out_as_a_nine_is_an_image_like_others():
    """−ELBO within half a standard deviation of the model's mean, with the gap that is usual."""
    run = find_run("mnist-2d")
    pictures = present(find_pictures(run, None))
    place = next(iter(find_telling(run.id, pictures)))
    grid = build_grid(run.model, present(run.codes()).mean, ratio=QUICK_RATIO)
    found = examine_image(run.model, Observation(run, pictures, place).target(), grid)
    known = run.info.results["test"]
    deviation = known["elbo_standard_error"] * known["images"] ** 0.5
    assert found.certified and 2 < found.gap < 8
    assert np.abs(found.elbo - known["elbo"]) < deviation / 2
