"""`make site`: what the Makefile asks for is there, and the demo stands in a bare browser."""

import shlex
from pathlib import Path

import pytest

from explorer.cli import build_parser, main
from explorer.commands.site import build_pages
from explorer.export.exercises.sheet import read_sheet
from explorer.export.site.learn import CHAPTERS
from explorer.library import Library
from explorer.runs.store import open_run

ROOT = Path(__file__).parents[2]


def demo_arguments():
    """Return the arguments of the Makefile's target, after the command's own name."""
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\nsite: $(STAMP)\n")[1].split("\n\n")[0]
    words = shlex.split(recipe.replace("\\\n", " ").replace("$(ARGS)", ""))
    assert words[0] == "$(BIN)/latent-explorer"
    return words[1:]


def test_what_the_makefile_asks_for_is_there_and_its_exercises_find_their_pages():
    options = build_parser().parse_args(demo_arguments())
    assert options.command is build_pages and options.learn
    assert len([open_run(name) for name in options.runs]) == 4
    assert set(options.sweeps) <= set(Library().sweeps())
    sheet = read_sheet(ROOT / options.exercises)
    assert len(sheet.questions) == 2
    for question in sheet.questions:
        assert question.run in options.runs or question.sweep in options.sweeps
        assert all(image <= options.lenses for image in question.images)


def test_the_same_command_builds_a_small_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = demo_arguments()
    runs = build_parser().parse_args(whole).runs
    drop = {"--sweep", "--lens", "--exercises"}
    kept = [
        word
        for before, word in zip(["", *whole], whole, strict=False)
        if not drop & {before, word} and word not in (*runs, "--learn")
    ]
    assert main([kept[0], "digits-2d", *kept[1:]]) == 0
    assert (tmp_path / "build" / "site" / "zh-Hant" / "index.html").is_file()


@pytest.mark.slow
@pytest.mark.browser
def test_every_page_of_the_demo_opens_from_the_disk_without_a_network(
    chromium, tmp_path, monkeypatch
):
    monkeypatch.chdir(ROOT)
    assert main([*demo_arguments(), "--out", str(tmp_path)]) == 0
    pages = sorted(path for path in tmp_path.rglob("*.html"))
    assert len(pages) == 3 * (2 + 4 * 2 + 2 * 3 + 1 + len(CHAPTERS))
    errors: list[str] = []
    for width in (1280, 390):
        size = {"width": width, "height": 800}
        context = chromium.new_context(viewport=size, offline=True, color_scheme="dark")
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.extend([line.text] if line.type == "error" else []))
        for path in pages:
            page.goto(path.as_uri())
            if page.locator("#explorer, #lens, #learn, #exercises").count():
                page.wait_for_selector("[data-ready]", state="attached")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert errors == [], path
        context.close()
