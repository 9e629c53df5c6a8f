"""What else a machine does while a test looks at its page: processes that halt or are busy."""

import contextlib
import os
import signal
import subprocess
import sys
import threading


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
