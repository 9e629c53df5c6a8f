"""Make README's pictures of the app anew: `python docs/pictures.py http://127.0.0.1:8501 my-vae`.

The address is that of a running app; what is shown are its shipped models, and a run that it has of
somebody's own model.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

IMAGES = Path(__file__).parent / "images"
SIZE = ViewportSize(width=1280, height=800)
PAGES = {"explore-light": ("/?model=mnist-2d", ".map"), "elbo-light": ("/elbo", ".part-stage")}
"""Each picture's page, and what must stand there before it is taken."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SETTLED = 4000


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
            page.wait_for_timeout(SETTLED)
            file = IMAGES / f"{name}.png"
            page.screenshot(path=file)
            # A page has few colours; a repository keeps every picture that it ever had.
            Image.open(file).convert("RGB").quantize(256).save(file, optimize=True)
        browser.close()


if __name__ == "__main__":
    take_pictures(sys.argv[1].rstrip("/"), sys.argv[2])
