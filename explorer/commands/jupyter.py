"""How jupyter-server-proxy starts the app: a tile in JupyterLab's launcher."""

import sys
from typing import Any


def describe_server() -> dict[str, Any]:
    """Return what jupyter-server-proxy reads of a server: it fills in {port} and {base_url}.

    That is the address of the Jupyter server, below which the app has its name from pyproject.toml.
    The address is handed on whole (`absolute_url`), since the app has pages below its own.
    """
    return {
        "command": [
            sys.executable, "-m", "explorer.cli", "app", "--no-browser",
            "--port", "{port}", "--base-path", "{base_url}latent-explorer",
        ],
        "absolute_url": True,
        "timeout": 60,
        "launcher_entry": {"title": "Latent Explorer"},
    }  # fmt: skip
