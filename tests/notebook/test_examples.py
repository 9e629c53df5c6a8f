"""The notebooks of examples/: small, without outputs, and running from first cell to last."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.ipynb"))


def read(path):
    import json

    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_small_and_holds_no_outputs(path):
    cells = read(path)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert path.stat().st_size < 12_000 and code
    assert not [c for c in code if c["outputs"] or c["execution_count"] is not None]
    first = "".join(cells[0]["source"])
    assert cells[0]["cell_type"] == "markdown" and first.startswith("# ")


@pytest.mark.integration
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path, tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    notebook = nbformat.read(path, 4)
    client = NotebookClient(
        notebook, timeout=400, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    said = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    kinds = {kind for output in said for kind in output.get("data", {})}
    assert "application/vnd.jupyter.widget-view+json" in kinds
    if path.stem == "sweep-on-dask":
        assert "application/vnd.plotly.v1+json" in kinds
    if path.stem == "why-did-mine-collapse":
        text = "".join(output.get("text", "") for output in said)
        assert "collapsed - 0 of 8 dimensions in use" in text
        assert "healthy" in text or "partial" in text
