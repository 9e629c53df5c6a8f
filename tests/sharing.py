"""How several processes share the tests: every other one takes those that drive pages.

A browser, a server and what they keep once a page was seen cost seconds of computing, for every
process that has them.
"""

import os

from xdist.scheduler import LoadFileScheduling

PAGES = "tests/browser/"
COMPUTING_NICENESS = 5
"""A page is waited for, and keeps a processor busy only now and then: it goes first."""


class Apart(LoadFileScheduling):  # type: ignore[misc]
    """A file at a time, in order; pages or the rest first, as the process is one or the other."""

    def _assign_work_unit(self, node):
        # The one place at which xdist lets a scheduler choose.
        pages = drives_pages(node.gateway.id)
        for file in self.workqueue:
            if file.startswith(PAGES) == pages:
                self.workqueue.move_to_end(file, last=False)
                break
        super()._assign_work_unit(node)


def drives_pages(process: str) -> bool:
    """Say whether a process, such as "gw0", takes the tests of pages while there are any."""
    return int(process.removeprefix("gw")) % 2 == 0


def step_back() -> None:
    """Let pages go first, when this process is one of several and computes."""
    process = os.environ.get("PYTEST_XDIST_WORKER")
    if process and not drives_pages(process) and hasattr(os, "nice"):
        os.nice(COMPUTING_NICENESS)
