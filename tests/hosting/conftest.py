"""A real Chromium and a real JupyterLab, as the notebooks' tests have them."""

from tests.notebook.conftest import chromium, lab, page

__all__ = ["chromium", "lab", "page"]
