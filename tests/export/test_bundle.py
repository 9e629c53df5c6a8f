"""Modules in one script: all of them, in order, and with nothing left to import."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.export.bundle import ROOMS, WORKER_ENTRY, bundle_modules, publish_bundles
from explorer.export.page import ENTRY


def test_bundle_holds_every_module_once_and_no_import_is_left() -> None:
    script = bundle_modules(ENTRY)
    names = re.findall(r'^modules\["([\w./]+)"\] = ', script, re.M)
    assert len(names) == len(set(names)) and names[-1] == "map/standalone.js"
    assert {"model/model.js", "shared/dom.js", "map/plane/map.js"} <= set(names)
    assert "map/main.js" not in names
    assert not re.search(r"^\s*(import|export) ", script, re.M)


def test_a_workers_script_is_bundled_without_the_page() -> None:
    script = bundle_modules(WORKER_ENTRY)
    names = re.findall(r'^modules\["([\w./]+)"\] = ', script, re.M)
    assert names[-1] == WORKER_ENTRY and "model/network.js" in names
    assert not [name for name in names if name.startswith("map/")]
    assert "document." not in script


def test_bundle_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "standalone.js").write_text('import thing from "./thing.js";\n', encoding="utf-8")
    with pytest.raises(ExplorerError, match="cannot be bundled"):
        bundle_modules("standalone.js", tmp_path)


def run_script(script: str) -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; the browser tests run a bundled page as well.")
    return subprocess.run([node, "-e", script], capture_output=True, text=True, check=True).stdout


def test_bundle_follows_paths_from_room_to_room(tmp_path: Path) -> None:
    """Two modules of one name in two rooms, and one that both import by different paths."""
    modules = {
        "shared/dom.js": "export const made = [];\n",
        "map/dom.js": 'import { made } from "../shared/dom.js";\nmade.push("map");\n'
        "export const here = 1;\n",
        "map/panels/tab.js": 'import { made as all } from "../../shared/dom.js";\n'
        'import * as plane from "../dom.js";\nconsole.log(all.join(), plane.here);\n',
    }
    for name, source in modules.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source, encoding="utf-8")
    script = bundle_modules("map/panels/tab.js", tmp_path)
    assert re.findall(r'^modules\["(.+?)"\] = ', script, re.M) == list(modules)
    assert run_script(script) == "map 1\n"


def test_bundle_refuses_a_circle_and_what_lies_outside(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "standalone.js").write_text('import { one } from "./a/one.js";\n', encoding="utf-8")
    (tmp_path / "a" / "one.js").write_text('import { all } from "../standalone.js";\n', "utf-8")
    with pytest.raises(ExplorerError, match=r"in a circle: standalone\.js"):
        bundle_modules("standalone.js", tmp_path)
    (tmp_path / "a" / "one.js").write_text('import { all } from "../../elsewhere.js";\n', "utf-8")
    with pytest.raises(ExplorerError, match="outside the page's folder"):
        bundle_modules("standalone.js", tmp_path)


@pytest.mark.parametrize("room", ROOMS)
def test_a_published_room_is_one_module_with_its_default_export_and_finds_its_worker(
    tmp_path: Path, room: str
) -> None:
    place = publish_bundles(tmp_path)
    script = (place / room / "main.js").read_text(encoding="utf-8")
    assert re.findall(r"^(?:import|export) .*", script, re.M) == [
        f'export default modules["{room}/main.js"].default;'
    ]
    for address in re.findall(r'new URL\("(.+?)", import\.meta\.url\)', script):
        assert (place / room / address).is_file()
    node = f"""
      globalThis.window = {{ matchMedia: () => ({{ matches: false, addEventListener() {{}} }}) }};
      import("{(place / room / "main.js").as_uri()}").then((m) => console.log(typeof m.default))
    """
    assert run_script(node) == "function\n"


def test_what_is_published_is_named_by_its_content_and_written_once(tmp_path: Path) -> None:
    place = publish_bundles(tmp_path)
    written = {path: path.stat().st_mtime_ns for path in place.rglob("*.js")}
    assert publish_bundles(tmp_path) == place
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*.js")} == written
    with pytest.raises(ExplorerError, match="part of the path is a file"):
        publish_bundles(next(iter(written)))
