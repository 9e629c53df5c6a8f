"""The examples of this room run, and every public name says what it does."""

import pytest

from explorer.analysis import codes_in
from tests.documented import find_documentation, modules_of, run_examples


@pytest.mark.parametrize("name", modules_of(codes_in))
def test_examples_and_documentation(name):
    run_examples(name)
    find_documentation(name)
