"""Open the explorer in the browser."""

import argparse
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError
from explorer.paths import PACKAGE, resource, runs_folder


def open_app(options: argparse.Namespace) -> None:
    """Start the Streamlit server on app/server.py, with the shipped theme handed over by flags."""
    if not 0 <= options.port <= 65535:
        raise ExplorerError(f"A port is a number from 0 to 65535, not {options.port}.")
    check_port(options.host, options.port)
    environment = dict(os.environ)
    if options.runs:
        environment["LATENT_EXPLORER_RUNS"] = str(Path(options.runs).resolve())
    if options.data_root:
        environment["LATENT_EXPLORER_DATA"] = str(Path(options.data_root).resolve())
    if options.allow_host:
        environment["LATENT_EXPLORER_HOSTS"] = ",".join(options.allow_host)
    flags = theme_flags()
    flags += ["--server.port", str(options.port), "--server.address", options.host]
    flags += ["--server.headless", "true" if options.no_browser else "false"]
    command = [sys.executable, "-m", "streamlit", "run", str(PACKAGE / "app" / "server.py"), *flags]
    folder = environment.get("LATENT_EXPLORER_RUNS") or runs_folder()
    place = f"[{options.host}]" if ":" in options.host else options.host
    print(f"Latent Explorer on http://{place}:{options.port}, runs in {folder}", flush=True)
    if os.name == "nt":
        import subprocess

        sys.exit(subprocess.call(command, env=environment))
    os.execve(sys.executable, command, environment)


def check_port(host: str, port: int) -> None:
    """Raise ExplorerError unless a server can listen there, on IPv4 or IPv6."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.create_server(address[:2], family=family):
            pass
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExplorerError(f"The port {port} of {host} cannot be opened: {reason}.") from error


def theme_flags() -> list[str]:
    """Return .streamlit/config.toml as command-line flags, for starts from any folder."""
    import tomllib

    flags: list[str] = []

    def collect(prefix: str, values: dict[str, Any]) -> None:
        for key, value in values.items():
            name = f"{prefix}{key}"
            if isinstance(value, dict):
                collect(name + ".", value)
            else:
                flags.extend([f"--{name}", value if isinstance(value, str) else json.dumps(value)])

    collect("", tomllib.loads((resource(".streamlit") / "config.toml").read_text("utf-8")))
    return flags
