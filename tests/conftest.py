"""Shared ground: one thread, folders of our own, one tiny run, and MNIST where it lies."""

import contextlib
import gc
import os
from pathlib import Path

# Before torch loads, here and in every subprocess.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
from hypothesis import HealthCheck, settings

from tests.chromium import chromium

__all__ = ["chromium"]

# No example is timed: this may run beside a training.
settings.register_profile(
    "tests", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

REPOSITORY = Path(__file__).resolve().parents[1]
DATA = os.environ.get("LATENT_EXPLORER_DATA")
"""Where the developer keeps images: for `mnist_root` alone."""
LONG = ("browser", "jobs", "training", "analysis")
"""Rooms whose files take longest."""


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory):
    """Keep the user's cache, runs and images out of the tests; subprocesses inherit it."""
    patch = pytest.MonkeyPatch()
    home = tmp_path_factory.mktemp("home")
    patch.setenv("LATENT_EXPLORER_CACHE", str(_make_cache(home, tmp_path_factory)))
    patch.setenv("LATENT_EXPLORER_RUNS", str(home / "runs"))
    patch.delenv("LATENT_EXPLORER_DATA", raising=False)
    yield home
    patch.undo()


def _make_cache(home, tmp_path_factory):
    """Return an empty cache, but for drawn images: what one process of pytest has drawn all read.

    Strokes and shapes in colour take seconds, and are the same wherever they are drawn.
    """
    beside = tmp_path_factory.getbasetemp()
    drawn = (beside.parent if "PYTEST_XDIST_WORKER" in os.environ else beside) / "drawn"
    drawn.mkdir(exist_ok=True)
    cache = home / "cache"
    cache.mkdir()
    with contextlib.suppress(OSError):  # Windows lets not everybody link.
        (cache / "datasets").symlink_to(drawn, target_is_directory=True)
    return cache


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory):
    """A finished run of two latents on the digits, trained for a second; do not change it."""
    from explorer.training.loop import train
    from tests.small_run import make_config

    return train(make_config(150, hidden=(32,)), tmp_path_factory.mktemp("tiny") / "run")


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory):
    """The run of `tests.small_run` as it is when nothing happens to it; do not change it."""
    from explorer.training.loop import train
    from tests.small_run import IMAGES, SMALL

    return train(SMALL, tmp_path_factory.mktemp("uninterrupted") / "run", IMAGES)


@pytest.fixture(scope="session")
def mnist_root():
    """The folder that holds real MNIST in torchvision's layout."""
    from explorer.datasets import is_available

    for root in (DATA, REPOSITORY.parent / "shared" / "data"):
        if root and is_available("mnist", root):
            return Path(root)
    pytest.skip("Real MNIST is not at hand: set LATENT_EXPLORER_DATA to a folder that holds it.")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Share the tests among processes as `tests.sharing` does."""
    from tests.sharing import Apart

    return Apart(config, log)


def pytest_configure():
    """Let the processes that drive pages go first."""
    from tests.sharing import step_back

    step_back()


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Look for no garbage among what is imported and collected, now or later.

    All of it stays to the end; looking through it took a third of the collection, in every process.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items):
    """Put long files first, and let a browser test that failed run once more by itself.

    The short files at the end keep all processes busy until then; and machines are busy, pages
    are not.
    """
    places = {REPOSITORY / "tests" / room: place for place, room in enumerate(LONG)}
    items.sort(key=lambda item: min(places.get(folder, len(LONG)) for folder in item.path.parents))
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """Name in the last lines what passed at its second try only, and how it failed: a fault."""
    tried = {report.nodeid: report for report in terminalreporter.stats.get("rerun", ())}
    failed = {report.nodeid for report in terminalreporter.stats.get("failed", ())}
    for name in sorted(tried.keys() - failed):
        terminalreporter.write_line(f"FLAKY {name} (passed at its second try)", yellow=True)
        terminalreporter.write_line(tried[name].longreprtext)
