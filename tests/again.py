"""A browser test that failed is run once more by itself; one that passes only then is flaky.

With `--once-more`, as `make test` has it, a flaky test does not fail the run: its name and how it
failed stand in the last lines, because it is a fault to mend. More failures than MANY, and any
test without a browser that fails, are no accident.
"""

import subprocess
import sys
from typing import Any

import pytest

MANY = 6
PATIENCE_SECONDS = 180


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "run a browser test that failed once more by itself"
    parser.addoption("--once-more", action="store_true", help=words)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    if hasattr(config, "workerinput") or not config.getoption("once_more"):
        return
    stats = config.pluginmanager.get_plugin("terminalreporter").stats
    reports = [*stats.get("failed", ()), *stats.get("error", ())]
    names = list(dict.fromkeys(report.nodeid for report in reports))
    if exitstatus != pytest.ExitCode.TESTS_FAILED or len(names) > MANY:
        return
    if any("browser" not in report.keywords for report in reports):
        return
    flaky = {name for name in names if passes_alone(config, name)}
    for kind in ("failed", "error"):
        kept = stats.pop(kind, [])
        stats.setdefault("flaky", []).extend(r for r in kept if r.nodeid in flaky)
        if still := [report for report in kept if report.nodeid not in flaky]:
            stats[kind] = still
    if len(flaky) == len(names):
        session.exitstatus = pytest.ExitCode.OK


def passes_alone(config: pytest.Config, name: str) -> bool:
    """Run a test in a process of its own, with nothing beside it."""
    command = [sys.executable, "-m", "pytest", "--numprocesses", "0", name]
    try:
        done = subprocess.run(
            command, cwd=config.rootpath, capture_output=True, timeout=PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def pytest_terminal_summary(terminalreporter: Any) -> None:
    flaky = terminalreporter.stats.get("flaky", [])
    if not flaky:
        return
    terminalreporter.section("flaky: failed at first, passed once more by itself; to be mended")
    for report in flaky:
        terminalreporter.line(f"{report.nodeid} ({report.when})", yellow=True)
        terminalreporter.line(report.longreprtext)
