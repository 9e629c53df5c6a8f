"""One colour per role and per class, the same in every figure, formula and control."""

from collections.abc import Iterable
from dataclasses import dataclass

CLASSES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
"""Petroff's ten accessible colours."""

SCALE = (
    "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c",
    "#28ae80", "#5ec962", "#addc30", "#fde725",
)  # fmt: skip
"""Viridis at nine even steps, for numbers on the map."""

GLYPHS = (
    "circle", "square", "diamond", "cross", "x",
    "triangle-up", "triangle-down", "star", "hexagon", "pentagon",
)  # fmt: skip


@dataclass(frozen=True)
class Roles:
    """Colours of what a figure speaks of, for one theme: the one table of the whole product.

    Each reads as text on the page's grounds (4.5:1, but for `brand`, `grid` and `ground`). What
    belongs together shares a hue: q(z|x) is drawn by its σ around μ, and p(z|x) is where z lies.
    """

    mean: str
    """μ, and what else the encoder says."""
    sigma: str
    q: str
    """q(z|x)."""
    latent: str
    """z, codes and samples."""
    posterior: str
    """p(z|x), exact."""
    prior: str
    """p(z)."""
    reconstruction: str
    """−log p(x|z), and what the decoder makes."""
    kl: str
    beta: str
    gap: str
    objective: str
    """Sums of the terms: −ELBO, and other totals."""
    brand: str
    """Buttons and what is chosen: no quantity."""
    text: str
    caption: str
    grid: str
    ground: str


LIGHT = Roles(
    mean="#2862cc",
    sigma="#a85a00",
    q="#a85a00",
    latent="#7b3fd1",
    posterior="#7b3fd1",
    prior="#5b6475",
    reconstruction="#1d7773",
    kl="#bf3549",
    beta="#a3297d",
    gap="#5f6877",
    objective="#1c2230",
    brand="#3a4560",
    text="#1c2230",
    caption="#5c6472",
    grid="#e3e5ea",
    ground="#fbfbfa",
)
DARK = Roles(
    mean="#7aa7ff",
    sigma="#ffb04d",
    q="#ffb04d",
    latent="#b388ff",
    posterior="#b388ff",
    prior="#a3adbd",
    reconstruction="#4fc3bd",
    kl="#ff7685",
    beta="#f08cc8",
    gap="#98a1b1",
    objective="#eceff4",
    brand="#5a6785",
    text="#eceff4",
    caption="#a0a9b8",
    grid="#2a303c",
    ground="#0f1218",
)


def choose_roles(dark: bool) -> Roles:
    """Return the role colours of the theme."""
    return DARK if dark else LIGHT


def class_colour(index: int) -> str:
    """Return the colour of a class; more than ten classes repeat them (glyphs tell them apart)."""
    return CLASSES[index % len(CLASSES)]


def class_colours(labels: Iterable[int]) -> list[str]:
    """Return the colour of each label's class."""
    return [class_colour(int(label)) for label in labels]


def class_glyph(index: int) -> str:
    """Return the Plotly symbol of a class."""
    return GLYPHS[(index // len(CLASSES) + index) % len(GLYPHS)]


def role_variables(dark: bool) -> str:
    """Return the role colours as CSS custom properties, --role-kl and so on."""
    return " ".join(f"--role-{name}: {value};" for name, value in vars(choose_roles(dark)).items())
