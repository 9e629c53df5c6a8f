"""A real JupyterLab, and a notebook that is open in it."""

import os
import sys
from pathlib import Path

import nbformat

from tests.serving import Served, free_port

STARTUP_SECONDS = 90
OPTIONS = (
    "--no-browser --allow-root --LabApp.expose_app_in_browser=True --IdentityProvider.token= "
    "--ServerApp.disable_check_xsrf=True --LabApp.news_url=None "
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"
)


class Lab(Served):
    """A running JupyterLab over a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        own = {
            name: str(folder / ".jupyter" / name)
            for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR")
        }
        own["JUPYTERLAB_SETTINGS_DIR"] = str(folder / ".jupyter" / "settings")
        port = free_port()
        options = [f"--port={port}", f"--ServerApp.root_dir={folder}"]
        super().__init__(
            [sys.executable, "-m", "jupyterlab", *OPTIONS.split(), *options],
            "/api/status",
            port,
            environment={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **own},
            folder=folder,
            log=folder / "lab.log",
            seconds=STARTUP_SECONDS,
        )


class Notebook:
    """A notebook that is open in a page of the lab."""

    def __init__(self, lab: Lab, page, name: str, cells: list[str]) -> None:
        self.path = lab.folder / f"{name}.ipynb"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, self.path)
        self.lab, self.page = lab, page
        self.open()

    def open(self) -> None:
        """Open the notebook in the page, alone."""
        self.page.goto(
            f"{self.lab.url}/lab/workspaces/{self.path.stem}/tree/{self.path.name}?reset"
        )
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        self.page.wait_for_function(
            "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
            "?.connectionStatus === 'connected'",
            timeout=60_000,
        )

    def command(self, name: str) -> None:
        """Have the lab do something, such as "notebook:run-all-cells"."""
        self.page.evaluate("(name) => void jupyterapp.commands.execute(name)", name)

    def run_all(self) -> None:
        """Run all cells, as the menu does."""
        self.command("notebook:run-all-cells")

    def ask(self, code: str) -> str:
        """Run code in the notebook's kernel, beside its cells, and return what it prints."""
        return self.page.evaluate(
            """async (code) => {
              const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              const future = kernel.requestExecute({code, store_history: false});
              let said = "";
              future.onIOPub = ({content}) => {
                said += content.text ?? (content.traceback ?? []).join("\\n") ?? "";
              };
              await future.done;
              return said.trim();
            }""",
            code,
        )

    def save(self):
        """Save the notebook and return it as it lies on the disk."""
        self.page.evaluate("async () => { await jupyterapp.commands.execute('docmanager:save'); }")
        return nbformat.read(self.path, 4)
