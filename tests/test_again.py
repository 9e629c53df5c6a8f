"""A gate that is closed by faults, not by accidents: what `make test` does with a failed test."""

import os
import subprocess
import sys

from tests.conftest import REPOSITORY

BEGUN = """
import pathlib
import pytest

FOLDER = pathlib.Path(__file__).parent

def is_first_time(name):
    before = (FOLDER / name).exists()
    (FOLDER / name).touch()
    return not before
"""
ACCIDENT = """
@pytest.mark.browser
@pytest.mark.parametrize("name", ["a=b;c?", "plain"])
def test_page(name):
    assert name == "plain" or not is_first_time("page"), "the page was slow"
"""
FAULT = """
@pytest.mark.browser
def test_broken_page():
    raise AssertionError("the page is broken")
"""
NO_BROWSER = """
def test_sum():
    assert not is_first_time("sum"), "the sum was wrong"
"""


def run_tests(folder, *parts, processes=0):
    """Run these tests as `make test` does and return the exit code and what was told."""
    (folder / "test_it.py").write_text("\n".join([BEGUN, *parts]))
    command = [sys.executable, "-m", "pytest", "-p", "tests.again", "--once-more"]
    command += ["-o", "markers=browser: drives a page", "--numprocesses", str(processes)]
    # Without the plugins that it needs not, a process starts in half the time.
    plugins = {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "-p xdist -p no:cacheprovider",
    }
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **plugins}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_a_browser_test_that_fails_once_is_told_as_flaky_at_the_end(tmp_path):
    code, told = run_tests(tmp_path, ACCIDENT, processes=2)
    assert code == 0
    last = told[told.index("flaky: failed at first") :]
    assert "test_it.py::test_page[a=b;c?] (call)" in last and "the page was slow" in last
    assert "1 flaky" in last.splitlines()[-1] and "failed" not in last.splitlines()[-1]


def test_a_browser_test_that_fails_twice_fails(tmp_path):
    code, told = run_tests(tmp_path, ACCIDENT, FAULT)
    assert code == 1 and "the page is broken" in told
    assert "1 failed" in told.splitlines()[-1] and "1 flaky" in told.splitlines()[-1]


def test_a_test_without_a_browser_has_one_try(tmp_path):
    code, told = run_tests(tmp_path, ACCIDENT, NO_BROWSER)
    assert code == 1
    assert "2 failed" in told.splitlines()[-1] and "flaky" not in told
