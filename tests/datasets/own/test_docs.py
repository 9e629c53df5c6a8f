"""The examples in the docstrings of this room run."""

import pytest

from explorer.datasets import own
from tests.documented import modules_of, run_examples


@pytest.mark.parametrize("name", modules_of(own))
def test_examples(name):
    run_examples(name)
