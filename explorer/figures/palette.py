"""One colour per role and per class, the same in every figure, formula and control."""

from dataclasses import dataclass

CLASSES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
"""Petroff's ten accessible colours."""

GLYPHS = (
    "circle", "square", "diamond", "cross", "x",
    "triangle-up", "triangle-down", "star", "hexagon", "pentagon",
)  # fmt: skip


@dataclass(frozen=True)
class Roles:
    """Colours of what a figure speaks of, for one theme."""

    mean: str
    sigma: str
    latent: str
    reconstruction: str
    kl: str
    gap: str
    objective: str
    text: str
    grid: str
    ground: str


LIGHT = Roles(
    mean="#2f6fde",
    sigma="#a85a00",
    latent="#7b3fd1",
    reconstruction="#2a8f8a",
    kl="#d1495b",
    gap="#8a93a3",
    objective="#1c2230",
    text="#1c2230",
    grid="#e3e5ea",
    ground="#fbfbfa",
)
DARK = Roles(
    mean="#7aa7ff",
    sigma="#ffb04d",
    latent="#b388ff",
    reconstruction="#4fc3bd",
    kl="#ff7685",
    gap="#8a93a3",
    objective="#eceff4",
    text="#eceff4",
    grid="#2a303c",
    ground="#0f1218",
)


def choose_roles(dark: bool) -> Roles:
    """Return the role colours of the theme."""
    return DARK if dark else LIGHT


def class_colour(index: int) -> str:
    """Return the colour of a class; more than ten classes repeat them (glyphs tell them apart)."""
    return CLASSES[index % len(CLASSES)]


def class_glyph(index: int) -> str:
    """Return the Plotly symbol of a class."""
    return GLYPHS[(index // len(CLASSES) + index) % len(GLYPHS)]


def role_variables(dark: bool) -> str:
    """Return the role colours as CSS custom properties, --role-kl and so on."""
    return " ".join(f"--role-{name}: {value};" for name, value in vars(choose_roles(dark)).items())
