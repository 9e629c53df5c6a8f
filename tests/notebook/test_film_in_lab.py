"""`explorer.timeline` and a framed page in a real JupyterLab."""

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.browser]

WATCH = """import explorer
film = explorer.timeline("watched")
film"""
TRAIN = """import time
import numpy as np
rng = np.random.default_rng(0)
with explorer.RunWriter("watched", latent_dim=3) as run:
    for step in range(1, 61):
        mean, logvar = rng.normal(size=(50, 3)) * step / 60, np.full((50, 3), -1.0)
        run.log(step, mean=mean, logvar=logvar, reconstruction=np.full(50, 100.0 - step))
        if step % 10 == 0:
            run.snapshot(step, mean, logvar)
            time.sleep(1)"""
FRAMES = "document.querySelector('.film-widget .stage')?.stage?.frames.length ?? 0"


def test_a_film_follows_the_writer_of_the_next_cell(lab, page):
    from tests.notebook.lab import Notebook

    notebook = Notebook(lab, page, "watched", [WATCH, TRAIN])
    notebook.run_all()
    page.wait_for_function(f"() => ({FRAMES}) > 0")
    # The cell that trains is still at work: what is seen was not there when the film was shown.
    assert page.locator(".jp-CodeCell").nth(1).inner_text().startswith("[*]")
    page.wait_for_function(f"() => ({FRAMES}) === 6")


def test_a_framed_page_decodes_without_a_widget(lab, page):
    from tests.notebook.lab import Notebook

    cell = "import explorer\nexplorer.show('mnist-2d', frame=True)"
    Notebook(lab, page, "framed", [cell]).run_all()
    inside = page.frame_locator(".jp-RenderedHTML iframe")
    inside.locator(".map canvas.overlay").wait_for()
    output = inside.locator("[data-role=output]")
    output.wait_for()
    pixels = "(canvas) => canvas.toDataURL()"
    before = output.evaluate(pixels)
    inside.locator(".map").hover(position={"x": 60, "y": 80})
    page.wait_for_timeout(1000)
    assert output.evaluate(pixels) != before
