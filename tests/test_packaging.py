"""A built wheel, unpacked elsewhere and started in an empty folder, is still the whole app."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel's content in a folder of its own, ahead of the checkout on the path."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run_installed(installed, *arguments):
    empty = installed.parent / "empty"
    empty.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=empty,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_wheel_carries_theme_models_and_browser_files(installed):
    shipped = installed / "explorer" / "_shipped"
    assert (shipped / ".streamlit" / "config.toml").is_file()
    names = {path.parent.name for path in (shipped / "pretrained").glob("*/run.json")}
    assert {"mnist-2d", "mnist-20d", "strokes-10d", "digits-2d"} <= names
    browser = installed / "explorer" / "browser"
    for room in ("page", "shared", "map", "lens", "guide", "brush", "slider"):
        assert (browser / room / "style.css").is_file(), room
    assert (browser / "map" / "standalone.js").is_file()
    assert list((installed / "explorer" / "text").rglob("*.json"))
    assert (installed / "explorer" / "runs" / "run.schema.json").is_file()
    assert (installed / "explorer" / "datasets" / "mnist200" / "images.npz").is_file()
    (about,) = installed.glob("latent_explorer-*.dist-info")
    notes = [path.read_text(encoding="utf-8") for path in (about / "licenses").rglob("LICENSE*")]
    assert any("CC-BY-SA-3.0" in note for note in notes) and len(notes) == 2
    assert (installed / "explorer" / "py.typed").is_file()


def test_the_installed_package_finds_its_own_resources(installed):
    code = (
        "import explorer; from explorer.commands.app import theme_flags\n"
        "print(explorer.__file__); print(theme_flags())"
    )
    where, flags = run_installed(installed, "-c", code).splitlines()
    assert Path(where).is_relative_to(installed)
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    assert theme["light"]["primaryColor"] in flags


def test_the_installed_command_lists_the_pretrained_models(installed):
    output = run_installed(installed, "-m", "explorer.cli", "runs", "--json")
    runs = json.loads(output.splitlines()[-1])["runs"]
    assert {"mnist-2d", "digits-2d"} <= {run["id"] for run in runs if run["pretrained"]}
