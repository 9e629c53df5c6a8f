"""The cases, made once."""

import pytest

from tests.datasets.own.cases import make_cases


@pytest.fixture(scope="session")
def cases(tmp_path_factory):
    """A folder with every case of answers.md; do not change it."""
    return make_cases(tmp_path_factory.mktemp("cases"))
