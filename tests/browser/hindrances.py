"""What else a machine does while a test looks at its page: processes that halt or are busy."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.waiting import wait_until


@contextlib.contextmanager
def halting(pid):
    """Have a process stand still for three fifths of the time, as beside others, at no cost."""
    ended = threading.Event()

    def halt():
        with contextlib.suppress(ProcessLookupError):
            while not ended.is_set():
                os.kill(pid, signal.SIGSTOP)
                ended.wait(0.12)
                os.kill(pid, signal.SIGCONT)
                ended.wait(0.08)

    thread = threading.Thread(target=halt)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def find_children(server, module):
    """Return the processes of a server that run a module, by their numbers."""
    lists = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    children = [int(pid) for path in lists for pid in path.read_text(encoding="ascii").split()]
    return [pid for pid in children if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


@contextlib.contextmanager
def held(pid):
    """Have a process stand still."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # It may have been ended meanwhile.
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def standing_still(server, module):
    """Have a server's process of a module stand still, once there is one."""
    (pid,) = wait_until(lambda: find_children(server, module))
    with held(pid):
        yield


@contextlib.contextmanager
def busy_machine(server):
    """Keep two processes busy meanwhile."""
    command = [sys.executable, "-c", "while True: pass"]
    loops = [subprocess.Popen(command) for _ in range(2)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def halting_server(server):
    return halting(server.process.pid)
