"""Make README's pictures of the app anew: `python docs/pictures.py http://127.0.0.1:8501 my-vae`.

The address is that of a running app; what is shown are its shipped models, and a run that it has of
somebody's own model.
"""

import shutil
import sys
from dataclasses import astuple
from pathlib import Path

from PIL import Image, ImageColor
from playwright.sync_api import ViewportSize, sync_playwright

from explorer.figures.palette import choose_roles

IMAGES = Path(__file__).parent / "images"
SIZE = ViewportSize(width=1280, height=800)
PAGES = {"explore-light": ("/?model=mnist-2d", ".map"), "elbo-light": ("/elbo", ".part-stage")}
"""Each picture's page, and what must stand there before it is taken."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SETTLED = 4000
STANDS = """() => document.querySelector('.stApp')?.dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-testid=stSkeleton]')"""
COLOURS = 256


def take_pictures(address: str, own_run: str) -> None:
    """Write the pictures of the app at `address` into docs/images, one of them of `own_run`."""
    pages = PAGES | {"own-model-light": (f"/?model={own_run}", ".map")}
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        for name, (path, part) in pages.items():
            page.goto(address + path)
            page.locator(part).first.wait_for(timeout=120_000)
            page.wait_for_function(STANDS, timeout=120_000)
            page.wait_for_timeout(SETTLED)
            file = IMAGES / f"{name}.png"
            page.screenshot(path=file)
            keep_few_colours(Image.open(file).convert("RGB")).save(file, optimize=True)
        browser.close()


def keep_few_colours(picture: Image.Image) -> Image.Image:
    """Return the picture with a palette: a repository keeps every one that it ever had.

    The roles' colours are among them, however rare: a slider's violet means z.
    """
    roles = list(dict.fromkeys(astuple(choose_roles(False))))
    others = picture.quantize(COLOURS - len(roles)).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*others, *(part for code in roles for part in ImageColor.getrgb(code))])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


if __name__ == "__main__":
    take_pictures(sys.argv[1].rstrip("/"), sys.argv[2])
