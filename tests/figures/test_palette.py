"""One table of colours: what it says is readable, and nothing else has colours of its own."""

import re
import tomllib
from pathlib import Path

import pytest

import explorer
from explorer.figures.palette import CLASSES, DARK, LIGHT, SCALE

PACKAGE = Path(explorer.__file__).parent
REPOSITORY = PACKAGE.parent
HEX = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b(?!\w)")
CSS = {
    "ink": "text",
    "muted": "caption",
    "mu": "mean",
    "sigma": "sigma",
    "z": "latent",
    "rec": "reconstruction",
    "kl": "kl",
    "beta": "beta",
    "gap": "gap",
    "brand": "brand",
}
"""Custom properties of the browser's style sheet, and the role that each is."""
SURFACES = {
    "#ffffff", "#fbfbfa", "#f1f2f5", "#eceef2", "#dfe2e8", "#c6cad3",
    "#0f1218", "#171b23", "#161b22", "#232a35", "#2b3340", "#4a5262", "#888888",
}  # fmt: skip
"""Grounds, borders and tracks, which speak of nothing."""
PICTURES = {"#000", "#fff", "#000000"}
"""Pixels are black and white, whatever the theme."""
GROUNDS = {"light": ("#ffffff", "#fbfbfa", "#f1f2f5"), "dark": ("#0f1218", "#171b23", "#161b22")}
THEMES = {"light": LIGHT, "dark": DARK}
READABLE, VISIBLE = 4.5, 3.0
"""WCAG 2.1, AA: text of usual size, and controls."""


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first, second):
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_is_that_of_the_standard():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    # The best known grey that just fails and the one that just passes on white.
    assert contrast("#777777", "#ffffff") < READABLE < contrast("#767676", "#ffffff")


@pytest.mark.parametrize("theme", THEMES)
def test_every_role_reads_as_text_on_every_ground(theme):
    said = {k: v for k, v in vars(THEMES[theme]).items() if k not in ("grid", "ground", "brand")}
    poor = {
        (role, ground): round(contrast(colour, ground), 2)
        for role, colour in said.items()
        for ground in GROUNDS[theme]
        if contrast(colour, ground) < READABLE
    }
    assert poor == {}


@pytest.mark.parametrize("theme", THEMES)
def test_words_on_bars_and_buttons_are_readable(theme):
    roles = THEMES[theme]
    on_bar = "#ffffff" if theme == "light" else "#0f1218"
    for role in ("reconstruction", "kl", "gap"):
        assert contrast(getattr(roles, role), on_bar) >= READABLE, role
    assert contrast(roles.brand, "#ffffff") >= READABLE
    assert all(contrast(roles.brand, ground) >= VISIBLE for ground in GROUNDS[theme])


@pytest.mark.parametrize("theme", THEMES)
def test_what_differs_in_meaning_differs_in_colour(theme):
    roles = THEMES[theme]
    apart = ("mean", "q", "posterior", "prior", "reconstruction", "kl", "beta", "brand", "text")
    assert len({getattr(roles, role) for role in apart}) == len(apart)
    assert (roles.q, roles.posterior) == (roles.sigma, roles.latent)


def properties(theme):
    """Return the browser's custom properties of a theme."""
    source = (PACKAGE / "browser" / "shared" / "style.css").read_text(encoding="utf-8")
    light, dark = source.split(".lx.dark {")
    blocks = {"light": light, "dark": dark.split("}")[0]}
    return dict(re.findall(r"--lx-([\w-]+): (#[0-9a-f]{6});", blocks[theme]))


@pytest.mark.parametrize("theme", THEMES)
def test_the_browser_has_the_colours_of_the_table(theme):
    found = properties(theme)
    assert {name: found[name] for name in CSS} == {
        name: getattr(THEMES[theme], role) for name, role in CSS.items()
    }


def test_the_blue_of_the_encoder_is_nothing_elses():
    rules = re.compile(r"([^{}]+)\{[^{}]*var\(--role-mean\)[^{}]*\}")
    sheets = [path.read_text(encoding="utf-8") for path in (PACKAGE / "browser").rglob("*.css")]
    blue = {rule.strip() for sheet in sheets for rule in rules.findall(sheet)}
    assert blue == {".role-mean", '.explorer-player[data-player="encoder"]'}


@pytest.mark.parametrize("theme", THEMES)
def test_streamlits_theme_has_the_colours_of_the_table(theme):
    config = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text("utf-8"))
    given, roles = config["theme"][theme], THEMES[theme]
    assert given["primaryColor"] == roles.brand
    assert (given["textColor"], given["backgroundColor"]) == (roles.text, roles.ground)
    assert given["linkColor"] == roles.mean


def test_classes_have_the_same_colours_in_the_browser():
    source = (PACKAGE / "browser" / "shared" / "theme.js").read_text(encoding="utf-8")
    listed = source.split("CLASS_COLOURS = [")[1].split("]")[0]
    assert tuple(HEX.findall(listed)) == CLASSES


def test_numbers_have_the_same_scale_in_the_browser():
    source = (PACKAGE / "browser" / "map" / "plane" / "scale.js").read_text(encoding="utf-8")
    assert tuple(HEX.findall(source.split("SCALE = [")[1].split("]")[0])) == SCALE
    lightness = [luminance(colour) for colour in SCALE]
    assert lightness == sorted(lightness), "a larger number is lighter"


def test_nothing_else_has_colours_of_its_own():
    """Figures, components, formulas, pages and style sheets: every hexadecimal colour."""
    known = {*vars(LIGHT).values(), *vars(DARK).values(), *CLASSES, *SCALE, *SURFACES, *PICTURES}
    strange = []
    for suffix in ("*.py", "*.js", "*.css", "*.json"):
        for path in sorted(PACKAGE.rglob(suffix)):
            for line, words in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                for colour in HEX.findall(words):
                    if colour.lower() not in known and not colour[1:].isdecimal():
                        strange.append(f"{path.relative_to(PACKAGE)}:{line} {colour}")
    assert strange == []


def test_every_role_that_is_asked_for_is_in_the_table():
    """`--role-x` in style sheets, `@x[…]` and `class="role-x"` in sentences and formulas."""
    known = {*vars(LIGHT)}
    asked = set()
    for suffix in ("*.py", "*.css", "*.js", "*.json"):
        for path in PACKAGE.rglob(suffix):
            source = path.read_text(encoding="utf-8")
            asked |= set(re.findall(r"--role-(\w+)", source))
            asked |= set(re.findall(r'class=\\?"role-(\w+)', source))
    assert asked <= known
