"""What goes in: stored images, drawings, picture files of every kind, and none."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.explore_page import ExplorePage

pytestmark = pytest.mark.browser


def draw(view: ExplorePage, corners: list[tuple[float, float]]) -> None:
    """Draw through corners given in parts of the drawing area."""
    box = view.page.locator(".pad").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    view.page.mouse.move(*at[0])
    view.page.mouse.down()
    for place in at[1:]:
        view.page.mouse.move(*place, steps=4)
    view.page.mouse.up()
    view.settle()


def offer(view: ExplorePage, name: str, data: bytes, kind: str) -> None:
    view.page.locator(".part-input input[type=file]").set_input_files(
        {"name": name, "mimeType": kind, "buffer": data}
    )
    view.until("s.input.kind === 'file' || s.notice")
    view.settle()


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_next_image_moves_ellipse_output_and_readout(view):
    before = view.output(), view.ask("s.input.id"), view.ask("app.map.ellipse.x")
    view.press("next")
    view.settle()
    assert view.ask("s.input.id") != before[1]
    assert view.output() != before[0]
    assert view.ask("app.map.ellipse.x") != before[2]


def test_an_image_is_chosen_from_the_sheet(view):
    view.page.locator(".caption-button").click()
    view.page.locator(".popup .thumb").nth(7).click()
    view.settle()
    assert view.ask("s.input.index") == 7


def test_binarised_is_black_and_white_and_grey_is_not(view):
    canvas = view.page.locator(".part-input canvas.picture")
    read = (
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
        ".filter((_, i) => i % 4 === 0)"
    )
    assert set(canvas.evaluate(read)) == {0, 255}
    view.page.locator(".part-input h3 select").select_option("grey")
    view.settle()
    assert len(set(canvas.evaluate(read))) > 4


def test_a_drawing_is_encoded_while_the_pen_moves(view):
    view.press("draw")
    box = view.page.locator(".pad").bounding_box()
    view.page.mouse.move(box["x"] + 60, box["y"] + 40)
    view.page.mouse.down()
    seen = []
    for step in range(6):
        view.page.mouse.move(box["x"] + 60 + 12 * step, box["y"] + 40 + 22 * step)
        view.settle()
        seen.append(tuple(view.z()))
    view.page.mouse.up()
    assert len(set(seen)) >= 3, "z moves with the pen"
    assert view.ask("s.input.kind") == "drawing"
    assert view.ask("Number.isFinite(app.map.ellipse.rx)")
    view.press("clear")
    assert view.ask("s.input") is None
    draw(view, [(0.5, 0.15), (0.5, 0.85)])
    grey = np.array(view.ask("Array.from(s.input.grey)")).reshape(8, 8)
    mass = (grey * np.arange(8)).sum() / grey.sum(), (grey.T * np.arange(8)).sum() / grey.sum()
    assert mass == pytest.approx((3.5, 3.5), abs=0.3), "centred by mass"


def test_the_eraser_takes_away(view):
    view.press("draw")
    draw(view, [(0.2, 0.5), (0.8, 0.5)])
    before = view.ask("s.input.grey.reduce((a, b) => a + b)")
    view.page.get_by_role("button", name="Eraser").click()
    draw(view, [(0.7, 0.5), (0.9, 0.5)])
    assert view.ask("s.input.grey.reduce((a, b) => a + b)") != before


def test_a_one_pixel_drawing_behaves(view):
    view.press("draw")
    draw(view, [(0.5, 0.5)])
    assert all(np.isfinite(view.z()))
    assert view.ask("Math.max(...s.input.grey)") <= 1


def test_a_photograph_of_dark_ink_on_paper_becomes_light_on_dark(view):
    image = Image.new("L", (600, 800), 235)
    image.paste(40, (280, 150, 330, 640))
    offer(view, "one.png", png(image), "image/png")
    grey = np.array(view.ask("Array.from(s.input.grey)")).reshape(8, 8)
    assert view.ask("s.input.kind") == "file"
    assert grey[:, 3:5].mean() > 2 * grey[:, [0, 7]].mean() + 0.1


def test_twenty_megapixels_behave(view):
    image = Image.new("L", (5000, 4000), 255)
    image.paste(0, (2300, 500, 2700, 3500))
    offer(view, "large.png", png(image), "image/png")
    assert view.ask("s.input.kind") == "file" and all(np.isfinite(view.z()))


@pytest.mark.parametrize("data", [b"not a picture at all", b"", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_refused_in_one_sentence(view, data):
    before = view.z()
    offer(view, "notes.png", data, "image/png")
    assert "could not be read as a picture" in view.page.locator(".notice").inner_text()
    assert view.z() == before


def test_an_empty_sheet_of_paper_says_so(view):
    offer(view, "blank.png", png(Image.new("L", (100, 100), 255)), "image/png")
    assert "nothing to see" in view.page.locator(".notice").inner_text()


def test_a_picture_is_dropped_onto_the_input(view):
    image = Image.new("L", (60, 60), 0)
    image.paste(255, (20, 8, 32, 52))
    data = view.page.evaluate_handle(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], 'drop.png', {type: 'image/png'}));
          return transfer;
        }""",
        list(png(image)),
    )
    view.page.locator(".part-input .frame").dispatch_event("drop", {"dataTransfer": data})
    view.until("s.input.kind === 'file'")


def test_hover_over_a_point_shows_its_image(view):
    x, y = view.ask("[app.map.projection.xs[3], app.map.projection.ys[3]]")
    view.hover(x, y)
    assert view.page.locator("[data-role=tooltip]").is_visible()
    near = view.ask("s.hover.near")
    text = view.page.locator("[data-role=tooltip]").inner_text()
    assert str(view.ask("app.idOf(arg)", near)) in text and "image" in text


def test_a_browser_that_changes_what_is_read_of_a_canvas_is_told_of(view):
    note = view.page.locator(".part-input .note")
    view.press("draw")
    assert "changes what a page reads back" not in note.inner_text()
    view.page.add_init_script(
        "const read = CanvasRenderingContext2D.prototype.getImageData;"
        "CanvasRenderingContext2D.prototype.getImageData = function (...given) {"
        "  const found = read.apply(this, given); found.data[9] ^= 1; return found; }"
    )
    view.page.reload()
    view.page.locator("[data-action=draw]").click(timeout=60_000)
    expect(note).to_contain_text("changes what a page reads back")
