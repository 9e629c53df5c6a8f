"""Open the explorer in the browser."""

import argparse
import ipaddress
import json
import math
import os
import re
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

from explorer.commands.options import Commands
from explorer.errors import ExplorerError
from explorer.paths import PACKAGE, resource, runs_folder
from explorer.visitors.limits import read_limits
from explorer.visitors.mode import ENVIRONMENT, Mode

PLACES = 8
"""Trainings at a time on a cluster, unless said otherwise."""
MOST_WORKERS = 256
_PART = re.compile(r"[A-Za-z0-9._~@%-]+")


def add_app(commands: Commands) -> None:
    """Add `app` and its options."""
    app = commands.add_parser("app", help="open the explorer in the browser")
    app.add_argument("--port", type=int, default=8501)
    app.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback)")
    app.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="a name that this server is called by, all others being refused; may be repeated",
    )
    app.add_argument(
        "--base-path", metavar="/PATH", default="", help="where below its host a proxy has it"
    )
    app.add_argument("--no-browser", action="store_true", help="start without opening a browser")
    app.add_argument(
        "--runs", metavar="DIR", help=f"folder of your runs (default: {runs_folder()})"
    )
    app.add_argument("--data-root", metavar="DIR", help="where torchvision data sets lie")
    add_visitors(app)
    app.set_defaults(command=open_app)


def add_visitors(app: argparse.ArgumentParser) -> None:
    """Add what decides who may use a server, and how much of it."""
    modes = app.add_mutually_exclusive_group()
    modes.add_argument(
        "--classroom", action="store_true", help="each visitor has runs of their own; one leads"
    )
    modes.add_argument(
        "--public", action="store_true", help="each visitor has runs of their own; nobody leads"
    )
    app.add_argument(
        "--trust-network",
        action="store_true",
        help="without a mode: let everybody who reaches --host do all that you can do",
    )
    app.add_argument("--code", metavar="WORD", help="what a visitor has to say to come in")
    app.add_argument(
        "--lecturer", metavar="WORD", help="what the lecturer says (default: made and printed)"
    )
    app.add_argument(
        "--uploads",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether visitors hand over files (default: in a classroom)",
    )
    app.add_argument("--workers", type=int, metavar="N", help="trainings at a time")
    app.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster that trains instead")
    app.add_argument("--limits", metavar="FILE", help="a TOML file with a table [limits]")
    app.add_argument(
        "--limit", metavar="NAME=N", action="append", default=[], help="one limit, over the file's"
    )


def open_app(options: argparse.Namespace) -> None:
    """Start the Streamlit server on app/server.py, with the shipped theme handed over by flags."""
    if not 0 <= options.port <= 65535:
        raise ExplorerError(f"A port is a number from 0 to 65535, not {options.port}.")
    base = clean_base(options.base_path)
    mode = choose_mode(options)
    check_port(options.host, options.port)
    environment = {name: value for name, value in os.environ.items() if name != ENVIRONMENT}
    # A run of a page is a thread, and glibc keeps what each has freed for itself: 150 MB more.
    environment.setdefault("MALLOC_ARENA_MAX", "1")
    if mode is not None:
        environment[ENVIRONMENT] = mode.write()
    if options.runs:
        environment["LATENT_EXPLORER_RUNS"] = str(Path(options.runs).resolve())
    if options.data_root:
        environment["LATENT_EXPLORER_DATA"] = str(Path(options.data_root).resolve())
    if options.allow_host:
        environment["LATENT_EXPLORER_HOSTS"] = ",".join(options.allow_host)
    flags = theme_flags()
    # What is installed does not change, and Streamlit would look after each file for each visitor.
    flags += ["--server.fileWatcherType", "none"]
    flags += ["--server.port", str(options.port), "--server.address", options.host]
    flags += ["--server.headless", "true" if options.no_browser else "false"]
    if base:
        flags += ["--server.baseUrlPath", base]
    if mode is not None:
        megabytes = math.ceil(mode.limits.upload_megabytes) if mode.uploads else 1
        flags += ["--server.maxUploadSize", str(megabytes)]
    command = [sys.executable, "-m", "streamlit", "run", str(PACKAGE / "app" / "server.py"), *flags]
    folder = environment.get("LATENT_EXPLORER_RUNS") or runs_folder()
    place = f"[{options.host}]" if ":" in options.host else options.host
    where = f"http://{place}:{options.port}{base and f'/{base}'}"
    print(f"Latent Explorer on {where}, runs in {folder}", flush=True)
    if mode is not None and mode.lecturer:
        door = f"{base and f'/{base}'}/enter"
        print(f"The lecturer's code is {mode.lecturer}: it is asked for at {door}.", flush=True)
    if os.name == "nt":
        import subprocess

        sys.exit(subprocess.call(command, env=environment))
    os.execve(sys.executable, command, environment)


def choose_mode(options: argparse.Namespace) -> Mode | None:
    """Return how the server is open to visitors, None for one user.

    Raises ExplorerError where strangers could come in and nobody said that they may.
    """
    kind = "classroom" if options.classroom else "public" if options.public else ""
    if not kind:
        given = (
            options.code,
            options.lecturer,
            options.limits,
            options.uploads,
            options.workers,
            options.scheduler,
        )
        if options.limit or any(value is not None for value in given):
            raise ExplorerError(
                "Codes, uploads, workers and limits are of --classroom or --public."
            )
        if not is_loopback(options.host) and not options.trust_network:
            raise ExplorerError(
                f"Whoever reaches {options.host} could see, change and delete your runs, train on "
                "this machine and fill its disk: choose --classroom or --public, or say "
                "--trust-network."
            )
        return None
    if kind == "public" and options.lecturer is not None:
        raise ExplorerError("A public server has no lecturer: choose --classroom.")
    limits = read_limits(Path(options.limits) if options.limits else None, options.limit)
    lecturer = "" if kind == "public" else options.lecturer or secrets.token_hex(4)
    code = options.code or ""
    if lecturer and lecturer == code:
        raise ExplorerError("The lecturer's code must not be the visitors'.")
    uploads = options.classroom if options.uploads is None else options.uploads
    workers = options.workers or (PLACES if options.scheduler else max(1, cpus() - 1))
    if not 1 <= workers <= MOST_WORKERS:
        raise ExplorerError(f"The number of workers must be from 1 to {MOST_WORKERS}.")
    return Mode(kind, code, lecturer, uploads, workers, options.scheduler, limits)


def cpus() -> int:
    """Return how many cores this machine has."""
    return os.cpu_count() or 2


def clean_base(path: str) -> str:
    """Return a base path without its outer slashes, "" for none.

    Raises ExplorerError where a part of it is more than letters, digits and `-._~@%`.

    >>> clean_base("/user/ada/vae/")
    'user/ada/vae'
    """
    parts = path.strip("/").split("/") if path.strip("/") else []
    if any(not _PART.fullmatch(part) or not part.strip(".") for part in parts):
        raise ExplorerError(f"A base path is like /vae or /user/ada/vae, not {path!r}.")
    return "/".join(parts)


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


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
