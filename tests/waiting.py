"""Waiting until something is so, in another process, thread or page; never for so long."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Found = TypeVar("Found")
POLL_MILLISECONDS = 30
"""How often a page is asked: asked at every frame, it draws sixty a second for nobody."""


def run_apart(coroutine: Coroutine[Any, Any, Found]) -> Found:
    """Run a coroutine to its end in a thread: the tests' own may hold the browser's event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def wait_until(condition: Callable[..., Found], seconds: float = 90.0) -> Found:
    """Ask `condition` again and again, and return what it gives once that is true.

    At first fifty times a second, then ever more seldom: what takes long is not slowed by asking.
    """
    began = time.monotonic()
    while True:
        if found := condition():
            return found
        waited = time.monotonic() - began
        assert waited < seconds, f"{seconds:g} seconds were waited in vain"
        time.sleep(min(0.1, 0.02 + waited / 20))


def wait_for_script(page: Any) -> None:
    """Wait until the page's script has run to its end and all that it sent has come."""
    page.wait_for_function(
        "() => document.querySelector('.stApp')?.dataset.testScriptState === 'notRunning'",
        polling=POLL_MILLISECONDS,
    )


def wait_for_rest(page: Any, what: str) -> None:
    """Wait until what an expression of JavaScript gives stays the same for a fifth of a second."""
    page.evaluate("() => { window.seen = undefined; }")
    page.wait_for_function(
        f"""() => {{
          const now = JSON.stringify({what});
          if (now !== window.seen?.[0]) window.seen = [now, performance.now()];
          return performance.now() - window.seen[1] > 200;
        }}""",
        polling=POLL_MILLISECONDS,
    )
