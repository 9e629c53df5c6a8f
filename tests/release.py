"""A release, tried: `python -m tests.release` builds it, installs it anew and opens it."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.browser.conftest import Server

ROOT = Path(__file__).resolve().parents[1]
LARGEST_WHEEL = 35e6
"""Bytes: what somebody waits for who only wants to look."""
TRIED = (6,)
"""The steps of docs/releasing.md that `make release` does."""


def build(folder: Path) -> tuple[Path, Path]:
    """Write the source archive and, from that, the wheel; return both."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (source,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return source, wheel


class Installed:
    """A wheel in an environment of its own, in which nothing else was ever put.

    Args:
        wheel: The file.
        folder: Where the environment, an empty home and the runs are to lie.
    """

    def __init__(self, wheel: Path, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", folder / "fresh"], check=True)
        scripts = folder / "fresh" / ("Scripts" if os.name == "nt" else "bin")
        self.command = scripts / "latent-explorer"
        self.home = folder / "home"
        (self.home / "runs").mkdir(parents=True)
        # The caller's own packages must not answer for what the wheel forgot.
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
        } | {"HOME": str(self.home)}
        self._run(
            scripts / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "-c",
            ROOT / "constraints.txt",
            wheel,
        )

    def run(self, *arguments: str) -> str:
        """Return what the command prints; raises CalledProcessError where it fails."""
        return self._run(self.command, *arguments)

    def _run(self, *command: str | Path) -> str:
        return subprocess.run(
            command,
            env=self.environment,
            cwd=self.home,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def open_app(self) -> Server:
        """Return the app, once it answers; the caller stops it."""
        command = [str(self.command), "app"]
        return Server(self.home / "runs", command, HOME=str(self.home), PYTHONPATH="")


def try_out(installed: Installed) -> list[str]:
    """Do what somebody does first, and return what was seen, a line each."""
    commands = len(re.findall(r"^    ([a-z]+)\b", installed.run("--help"), re.MULTILINE))
    runs = json.loads(installed.run("runs", "--json").splitlines()[-1])["runs"]
    server = installed.open_app()
    server.stop()
    return [
        f"latent-explorer --help names {commands} commands",
        f"latent-explorer runs lists {sum(run['pretrained'] for run in runs)} shipped models",
        "latent-explorer app answers, in an empty folder with an empty home",
    ]


def steps_by_hand() -> list[str]:
    """Return the steps of docs/releasing.md that no command does."""
    text = (ROOT / "docs" / "releasing.md").read_text(encoding="utf-8")
    steps = re.findall(r"^(\d+)\. \*\*(.+?)\.?\*\*", text, re.MULTILINE)
    return [f"{number}. {name}" for number, name in steps if int(number) not in TRIED]


def check_numbers() -> str:
    """Return the version, which stands first in CHANGELOG.md below what is not released yet.

    Raises SystemExit where the two differ: one of them was forgotten.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version: str = project["version"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## (\d\S*)", changes, re.MULTILINE)
    if released[:1] != [version]:
        raise SystemExit(f"pyproject.toml says {version}, CHANGELOG.md {released[:1]}.")
    return version


def main() -> None:
    """Build, try and print what remains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="for archive and wheel")
    options = parser.parse_args()
    version = check_numbers()
    shutil.rmtree(options.out, ignore_errors=True)
    source, wheel = build(options.out)
    for path in (source, wheel):
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    if wheel.stat().st_size > LARGEST_WHEEL:
        raise SystemExit(f"The wheel is larger than {LARGEST_WHEEL / 1e6:.0f} MB.")
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(try_out(Installed(wheel, Path(folder)))))
    print(f"\nWhat remains of docs/releasing.md for {version}:")
    print("\n".join(steps_by_hand()))


if __name__ == "__main__":
    main()
