"""Explore's first run on a server: a shipped model that was shown before needs no PyTorch."""

import os
import subprocess
import sys
from pathlib import Path

import explorer
from explorer.app.parts.mount import REQUESTS
from explorer.export.answers import ANSWERS

SCRIPT = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=300).run()
assert not app.exception and not app.error
assert any("skeleton" in str(element.proto) for element in app.get("html"))
print("torch" in sys.modules)
"""
MAIN = Path(explorer.__file__).parent / "app" / "main.py"


def test_explore_imports_no_torch_for_a_shipped_model_that_was_shown_before(tmp_path):
    environment = {
        **os.environ,
        "LATENT_EXPLORER_CACHE": str(tmp_path / "cache"),
        "LATENT_EXPLORER_RUNS": str(tmp_path / "runs"),
        "LATENT_EXPLORER_DATA": str(tmp_path / "data"),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    seen = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(MAIN)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert seen == ["True", "False"]


def test_what_the_map_may_ask_is_what_the_server_answers():
    assert set(REQUESTS) == set(ANSWERS)
