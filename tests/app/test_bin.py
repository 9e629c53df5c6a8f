"""The bin calls a deleted run what the desk called it."""

import json
import shutil

from explorer.app.views.runs.bin import name_entry
from explorer.runs.store import RunStore


def test_a_deleted_run_keeps_its_moved_beta_in_its_name(tiny_run, tmp_path):
    shutil.copytree(tiny_run.path, tmp_path / "steered")
    path = tmp_path / "steered" / "run.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["timing"]["beta"] = 24.0
    path.write_text(json.dumps(content), encoding="utf-8")
    store = RunStore(tmp_path)
    store.open("steered").rename("my digits")
    entry = store.delete("steered")
    assert name_entry(entry) == "my digits · β 1 → 24"
    (entry.path / "run" / "run.json").unlink()
    assert name_entry(entry) == "my digits", "a run that cannot be read keeps the name it had"
