"""What a training is judged by, and which of its images the film shows."""

import numpy as np

from explorer.datasets import ImageDataset
from explorer.training.member import HeldOut


def test_the_films_images_are_of_the_probe():
    images = np.arange(40, dtype=np.uint8)[:, None, None, None]
    labels = np.arange(40) // 20
    data = ImageDataset("own", images, labels, splits={"validation": np.arange(40)})
    held = HeldOut(data)
    assert held.probe[held.strip].ravel().tolist() == [0, 20, 1, 21, 2, 22, 3, 23]
