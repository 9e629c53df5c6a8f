"""`explorer.show` in a real JupyterLab: what moves there, and what Python hears of it."""

import json

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.browser]

SHOW = """import explorer
run = explorer.open_run("mnist-2d")
widget = explorer.show(run)
widget"""
STATE = "document.querySelector('.in-notebook').explorer.store.state"
PIXELS = "(root) => root.querySelector('[data-role=output]').toDataURL()"


@pytest.fixture
def shown(lab, page, request):
    """A notebook that shows a shipped run's map."""
    from tests.notebook.lab import Notebook

    notebook = Notebook(lab, page, request.node.name.replace("[", "-").strip("]"), [SHOW, ""])
    notebook.run_all()
    page.wait_for_selector(".in-notebook .map canvas.overlay")
    page.wait_for_function("() => document.querySelector('.in-notebook').explorer?.painted > 0")
    return notebook


def place(page, x, y):
    """Return where on the screen a share of the map's width and height is."""
    box = page.locator(".in-notebook .map canvas.overlay").first.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_a_hover_moves_pixels_and_a_click_tells_python_z(shown):
    page = shown.page
    before = page.locator(".in-notebook").evaluate(PIXELS)
    page.mouse.move(*place(page, 0.3, 0.4))
    page.wait_for_function(
        f"(before) => ({PIXELS})(document.querySelector('.in-notebook')) !== before", arg=before
    )
    page.mouse.click(*place(page, 0.3, 0.4))
    page.wait_for_timeout(500)
    z, picked = json.loads(shown.ask("import json; print(json.dumps([widget.z, widget.picked]))"))
    state = page.evaluate(f"() => Array.from({STATE}.z)")
    assert z == pytest.approx(state) and picked["z"] == pytest.approx(z)


def test_a_z_that_python_sets_moves_the_map(shown):
    shown.ask("widget.move([0.5, -1.25])")
    shown.page.wait_for_function(f"() => String({STATE}.z) === '0.5,-1.25'")


def test_a_lasso_is_read_in_python_and_python_selects(shown):
    page = shown.page
    page.locator(".in-notebook [data-tool=lasso]").click()
    corners = [(0.35, 0.35), (0.65, 0.35), (0.65, 0.65), (0.35, 0.65), (0.35, 0.36)]
    page.mouse.move(*place(page, *corners[0]))
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*place(page, *corner), steps=6)
    page.mouse.up()
    page.wait_for_timeout(500)
    ids = json.loads(shown.ask("print(widget.selection)"))
    known = set(json.loads(shown.ask("print(run.codes().ids.tolist())")))
    assert len(ids) > 5 and set(ids) < known
    shown.ask(f"widget.select({ids[:3]})")
    page.wait_for_function(f"() => {STATE}.selection.indices.length === 3")


def test_a_snapshot_is_there_when_the_notebook_is_opened_without_a_kernel(shown, lab):
    page = shown.page
    page.evaluate(
        "() => jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel"
        ".setSource('widget.snapshot()')"
    )
    shown.run_all()
    page.wait_for_selector(".jp-RenderedImage img")
    outputs = shown.save().cells[1].outputs
    assert [sorted(output.data) for output in outputs] == [["image/png", "text/plain"]]
    shown.ask("widget.close()")
    page.goto("about:blank")
    shown.open()
    image = page.locator(".jp-RenderedImage img").first
    assert image.evaluate("(image) => image.naturalWidth") > 500


LIVE = """import explorer, torch
from torch import nn
images = torch.rand(200, 3, 64, 64)
encoder = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 4))
decoder = nn.Sequential(nn.Linear(4, 3 * 64 * 64), nn.Sigmoid())
asked = []
def decode(z):
    asked.append(len(z))
    return decoder(z)
widget = explorer.show(encode=encoder, decode=decode, images=images)
widget"""


def test_two_functions_are_decoded_by_the_kernel_in_batches_and_what_is_overtaken_is_not(lab, page):
    from tests.notebook.lab import Notebook

    notebook = Notebook(lab, page, "live", [LIVE])
    notebook.run_all()
    page.wait_for_function("() => document.querySelector('.in-notebook')?.explorer?.painted > 0")
    page.wait_for_function(f"() => {STATE.replace('.store.state', '.painted')} > 0")
    moved = page.evaluate(
        """async () => {
          const {explorer} = document.querySelector('.in-notebook');
          const begin = performance.now();
          let moved = 0;
          for (; performance.now() - begin < 2000; moved++) {
            explorer.setLatent(0, Math.sin(performance.now() / 300));
            await new Promise(requestAnimationFrame);
          }
          return moved;
        }"""
    )
    page.wait_for_timeout(1000)
    alone, most = json.loads(notebook.ask("print([asked.count(1), max(asked)])"))
    assert 1 < alone <= moved + 2 and most == 16


def test_two_widgets_do_not_disturb_each_other(lab, page):
    from tests.notebook.lab import Notebook

    both = f"{SHOW}\nother = explorer.show('mnist-20d')\ndisplay(widget, other)"
    notebook = Notebook(lab, page, "both", [both])
    notebook.run_all()
    page.wait_for_function(
        "() => document.querySelectorAll('.in-notebook').length === 2 &&"
        "[...document.querySelectorAll('.in-notebook')].every((root) => root.explorer?.painted)"
    )
    page.wait_for_timeout(500)
    before = json.loads(notebook.ask("print(other.z)"))
    notebook.ask("widget.move([1, 2])")
    page.wait_for_function(f"() => String({STATE}.z) === '1,2'")
    assert json.loads(notebook.ask("print(other.z)")) == before and len(before) == 20


def test_ten_that_were_shown_and_closed_leave_no_memory_behind(lab, page):
    from tests.notebook.lab import Notebook

    notebook = Notebook(lab, page, "ten", [SHOW])
    notebook.run_all()
    page.wait_for_selector(".in-notebook .map canvas.overlay")
    measure = (
        "import gc, os; gc.collect()\n"
        "print(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE'))"
    )
    sizes = []
    for _ in range(10):
        notebook.ask("widget.close()")
        page.wait_for_function("() => !document.querySelector('.in-notebook .map')")
        notebook.run_all()
        page.wait_for_function("() => document.querySelector('.in-notebook')?.explorer")
        sizes.append(int(notebook.ask(measure)))
    payload = int(notebook.ask("print(len(widget.payload))"))
    # Of ten that were kept, eight more than at the second measurement would lie there.
    assert sizes[-1] - sizes[1] < 4 * payload + 8e6, sizes
