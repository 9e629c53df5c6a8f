"""A real JupyterLab, as the notebooks' tests have it."""

from tests.notebook.conftest import lab, page

__all__ = ["lab", "page"]
