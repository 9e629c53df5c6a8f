"""A server in a process of its own: started, waited for, and ended."""

import socket
import subprocess
import time
import urllib.request
from pathlib import Path


class Served:
    """A running server: its port, its address and its process."""

    def __init__(
        self,
        command: list[str],
        health: str,
        port: int,
        *,
        environment: dict[str, str],
        folder: Path,
        log: Path,
        seconds: float,
    ) -> None:
        """Start `command` in `folder`, and wait `seconds` at most until it answers at `health`."""
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = open(log, "wb")  # noqa: SIM115
        self.process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=self.log, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}{health}", timeout=2):
                    return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(log.read_text("utf-8")[-2000:]) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """End the server; its workers and kernels end by themselves when their input closes."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.log.close()


def free_port() -> int:
    """Return a port that nobody listens to at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
