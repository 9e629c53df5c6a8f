"""Images as PNG bytes: single ones and sheets, enlarged without smoothing."""

import base64
import io

import numpy as np
from PIL import Image

from explorer.figures.palette import choose_roles


def picture_sheet(images: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """Return uint8 images (N, C, H, W) as one sheet (rows·(H+gap)−gap, …, 3), filled row by row."""
    count, channels, height, width = images.shape
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 128, np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        colour = image[:3] if channels >= 3 else np.repeat(image[:1], 3, 0)
        sheet[top : top + height, left : left + width] = colour.transpose(1, 2, 0)
    return sheet


def encode_png(picture: np.ndarray, scale: int = 1) -> bytes:
    """Return a picture (H, W, 3) uint8 as PNG bytes, each pixel `scale` × `scale`."""
    image = Image.fromarray(picture)
    if scale > 1:
        size = (image.width * scale, image.height * scale)
        image = image.resize(size, Image.Resampling.NEAREST)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def data_uri(png: bytes) -> str:
    """Return PNG bytes as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def wordmark(title: str, dark: bool) -> str:
    """Return the two-word title as SVG text, the second word lighter than the first."""
    roles = choose_roles(dark)
    first, second = title.split(" ", 1)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="172" height="30">'
        '<text x="0" y="22" font-family="system-ui, DejaVu Sans, sans-serif" font-size="19" '
        f'font-weight="700" fill="{roles.text}">{first} '
        f'<tspan font-weight="400" fill="{roles.caption}">{second}</tspan></text></svg>'
    )


def icon() -> str:
    """Return the app's mark as SVG, a place and what lies around it: it is seen on any ground."""
    colour = choose_roles(False).latent
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32">'
        f'<circle cx="16" cy="16" r="13" fill="none" stroke="{colour}" stroke-width="4"/>'
        f'<circle cx="16" cy="16" r="6" fill="{colour}"/></svg>'
    )


def mean_difference(above: np.ndarray, below: np.ndarray) -> float:
    """Return how far two sets of uint8 images differ, on average, as a share of black to white."""
    return float(np.abs(above.astype(float) - below.astype(float)).mean() / 255)
