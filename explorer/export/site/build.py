"""A site: runs, the models of a sweep and images under the lens as pages that need no server.

Words lie once a language, models once in all: `DIR/index.html` and `DIR/models/…` are in the first
language, `DIR/zh-Hans/…` in another; `DIR/data` holds the models and `DIR/assets` the scripts.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from explorer.analysis.watch import Progress, Watch
from explorer.browser import ASSETS, read_styles
from explorer.errors import ExplorerError
from explorer.export.bundle import WORKER_ENTRY, bundle_modules
from explorer.export.exercises.sheet import Sheet
from explorer.export.page import PAGE_IMAGE_BYTES, fit_payload
from explorer.export.payload import Pictures
from explorer.export.pictures import find_pictures
from explorer.export.report.gather import gather_run
from explorer.export.report.page import build_report
from explorer.export.site.exercises import PATH as EXERCISES
from explorer.export.site.exercises import exercise_page, find_pages
from explorer.export.site.learn import (
    CHAPTERS,
    chapter_page,
    chapter_picture,
    pack_stops,
    path_of,
    theme_styles,
)
from explorer.export.site.shells import (
    Card,
    Place,
    lens_page,
    map_page,
    slug,
    start_page,
    words_script,
)
from explorer.export.site.thumbnails import draw_codes, draw_image
from explorer.export.sweep import build_member, find_siblings
from explorer.files import make_folder, replace_file
from explorer.library import Library, find_lack
from explorer.runs.run import Run
from explorer.text import number, say

GREY_BYTES, COLOUR_BYTES = 4_000_000, 8_000_000
"""Of a model's data file at most."""
MAX_LENSES = 40


@dataclass
class Site:
    """What goes into a folder: files by their path below it, and what could not be made."""

    languages: Sequence[str]
    title: str
    files: dict[str, bytes] = field(default_factory=dict)
    cards: dict[str, list[Card]] = field(default_factory=dict)
    credits: set[str] = field(default_factory=set)
    left_out: list[str] = field(default_factory=list)

    def places(self, path: str) -> list[Place]:
        """Return where a page lies in each language."""
        return [Place(language, path, not i) for i, language in enumerate(self.languages)]

    def add_page(self, place: Place, page: str) -> None:
        """Add a page at its place."""
        self.files[place.file] = page.encode()

    def add_data(self, name: str, content: bytes) -> str:
        """Add bytes as a script, which a page from the disk may load; return its path."""
        path = f"data/{name}.js"
        self.files[path] = wrap_data(path, content)
        return path

    def write(self, folder: Path) -> int:
        """Write every file below `folder`; return their bytes. ExplorerError where it cannot."""
        for path, content in self.files.items():
            make_folder((folder / path).parent)
            replace_file(folder / path, partial(_write, content))
        return sum(map(len, self.files.values()))


def build_site(
    runs: Sequence[Run],
    library: Library,
    *,
    languages: Sequence[str] = ("en",),
    title: str = "",
    sweeps: Sequence[str] = (),
    lenses: int = 0,
    learn: Sequence[str] = (),
    exercises: Sheet | None = None,
    progress: Progress | None = None,
) -> Site:
    """Return the site of `runs`: a start page, and of each run its map, its report, its lenses.

    `sweeps` are ids of sweeps whose models differ in β alone; `lenses` the images of every model of
    two latents that one may be the encoder of, their posterior exact beforehand. `library` knows
    the images; `learn` names chapters (CHAPTERS) and `exercises` are questions about these pages.
    What a run cannot give is named in `left_out`. ExplorerError without any page, or for a question
    whose page is not there.
    """
    if not 0 <= lenses <= MAX_LENSES:
        raise ExplorerError(f"A site has between 0 and {MAX_LENSES} lenses; {lenses} were asked.")
    site = Site(languages, title or say(languages[0], "site.title"))
    site.cards = {language: [] for language in languages}
    watch = Watch(progress, None)
    works = len(runs) + len(sweeps) + len(learn)
    for i, run in enumerate(runs):
        _add_run(site, run, library, lenses)
        watch.report((i + 1) / works)
    for i, name in enumerate(sweeps):
        _add_sweep(site, name, library)
        watch.report((len(runs) + i + 1) / works)
    for i, name in enumerate(learn):
        _add_chapter(site, name, learn)
        watch.report((len(runs) + len(sweeps) + i + 1) / works)
    if not any(site.cards.values()):
        raise ExplorerError(f"There is nothing to show: {' '.join(site.left_out)}")
    if exercises is not None:
        _add_exercises(site, exercises, library)
    _add_assets(site)
    for place in site.places("index.html"):
        ahead = _links_ahead(place, exercises)
        cards, credits = site.cards[place.language], sorted(site.credits)
        site.add_page(place, start_page(place, languages, site.title, cards, credits, ahead))
    return site


def wrap_data(path: str, content: bytes) -> bytes:
    """Return the script that lays bytes ready under its own name."""
    name, packed = json.dumps(path.rpartition("/")[2]), base64.b64encode(content).decode()
    return f'(globalThis.latentData ??= {{}})[{name}] = "{packed}";\n'.encode()


def _add_run(site: Site, run: Run, library: Library, lenses: int) -> None:
    folder = f"models/{slug(run.id)}"
    images = library.images_of(run)
    pictures = find_pictures(run, images, PAGE_IMAGE_BYTES)
    links: dict[str, list[tuple[str, str]]] = {language: [] for language in site.languages}
    reports = _add_report(site, run, library, folder, links)
    shown = _add_map(site, run, pictures, folder, links, reports)
    _add_lenses(site, run, pictures, folder, links, lenses)
    if not any(links.values()):
        return
    picture = f"assets/{slug(run.id)}.png"
    codes = run.codes()
    site.files[picture] = (
        draw_codes(codes.mean, codes.labels)
        if shown and codes is not None
        else draw_image(pictures)
    )
    for place in site.places("index.html"):
        facts, found = _facts(run, place.language), links[place.language]
        site.cards[place.language].append(Card(run.name, facts, place.top + picture, found))


def _add_report(
    site: Site, run: Run, library: Library, folder: str, links: Mapping[str, list[tuple[str, str]]]
) -> bool:
    """Add the run's report in every language; tell whether there is one."""
    try:
        diagnosis = library.stored(run, "diagnosis")
        found = gather_run(run, library.images_of(run), diagnosis=diagnosis)
    except ExplorerError as error:
        site.left_out.append(f"{run.id}, report: {error}")
        return False
    for place in site.places(f"{folder}/consultation.html"):
        site.files[place.file] = build_report(found, place.language)
        links[place.language].append((place.path, say(place.language, "site.why")))
    return True


def _add_map(
    site: Site,
    run: Run,
    pictures: Pictures | None,
    folder: str,
    links: Mapping[str, list[tuple[str, str]]],
    has_report: bool,
) -> bool:
    """Add the run's map in every language; tell whether it has one."""
    if find_lack(run, ("model", "map")):
        site.left_out.append(f"{run.id}, map: it has no model with a latent map.")
        return False
    limit = COLOUR_BYTES if run.model.shape[0] > 1 else GREY_BYTES
    path = f"data/{slug(run.id)}.js"
    site.files[path] = fit_payload(
        run, pictures, {}, "", lambda payload: wrap_data(path, payload), limit
    )
    credit = _credit(site, pictures)
    for place in site.places(f"{folder}/index.html"):
        report = "consultation.html" if has_report else None
        site.add_page(place, map_page(place, site.languages, run.name, path, (), credit, report))
        links[place.language].insert(0, (place.path, say(place.language, "site.explore")))
    return True


def _add_lenses(
    site: Site,
    run: Run,
    pictures: Pictures | None,
    folder: str,
    links: Mapping[str, list[tuple[str, str]]],
    count: int,
) -> None:
    """Add the first images of a model of two latents under the lens."""
    if not count or pictures is None or run.info.latent_dim != 2 or not run.info.has_density:
        return
    from explorer.analysis.inference.posterior_grid import build_grid
    from explorer.export.site.lenses import precompute_lens

    codes = run.codes()
    grid = build_grid(run.model, None if codes is None else codes.mean)
    credit = _credit(site, pictures)
    for index in range(min(count, len(pictures.images))):
        source = site.add_data(
            f"{slug(run.id)}-lens-{index + 1}",
            precompute_lens(run, pictures.images[index : index + 1], grid),
        )
        for place in site.places(f"{folder}/lens-{index + 1}.html"):
            label = _label(run, pictures, index, place.language)
            name = say(place.language, "site.lens_page", name=run.name, label=label)
            site.add_page(place, lens_page(place, site.languages, name, source, credit))
            told = say(place.language, "site.lens", label=label)
            links[place.language].append((place.path, told))


def _add_sweep(site: Site, name: str, library: Library) -> None:
    """Add one page for the models of a sweep, whose slider moves through β."""
    sweep = library.sweeps().get(name)
    if sweep is None:
        known = ", ".join(library.sweeps()) or "none"
        raise ExplorerError(f"There is no sweep {name!r}; there are: {known}.")
    members = [run for run in sweep.runs().values() if not find_lack(run, ("model", "map"))]
    siblings = find_siblings(members[len(members) // 2], members) if members else []
    if len(siblings) < 2:
        site.left_out.append(f"{name}: no two of its models differ in β alone.")
        return
    # The map opens on the model nearest to β = 1, and learns the axes of the others from it.
    reference = min(siblings, key=lambda run: abs(np.log(max(run.info.beta or 1e-9, 1e-9))))
    pictures = find_pictures(reference, library.images_of(reference), PAGE_IMAGE_BYTES)
    folder = slug(name)
    path = f"data/{folder}.js"
    site.files[path] = fit_payload(
        reference, pictures, {}, "", lambda payload: wrap_data(path, payload), GREY_BYTES
    )
    sources = [
        site.add_data(f"{folder}-{i + 1}", build_member(run, reference))
        for i, run in enumerate(siblings)
    ]
    codes = reference.codes()
    picture = f"assets/{folder}.png"
    site.files[picture] = draw_codes(codes.mean, codes.labels)
    credit = _credit(site, pictures)
    betas = [number(run.info.beta, "g") for run in siblings]
    dataset = reference.info.dataset
    for place in site.places(f"sweeps/{folder}/index.html"):
        heading = say(place.language, "site.sweep")
        site.add_page(place, map_page(place, site.languages, heading, path, sources, credit, None))
        facts = say(
            place.language,
            "site.sweep_facts",
            count=len(siblings),
            images=dataset.name,
            low=betas[0],
            high=betas[-1],
        )
        home = site.places("index.html")[site.languages.index(place.language)]
        links = [(place.path, say(place.language, "site.explore"))]
        site.cards[place.language].append(Card(heading, facts, home.top + picture, links))


def _add_chapter(site: Site, name: str, names: Sequence[str]) -> None:
    """Add a chapter of Learn in every language."""
    chapter = CHAPTERS[name]()
    drawn, picture = chapter_picture(chapter), f"assets/learn-{name}.svg"
    if drawn is not None:
        site.files[picture] = drawn
    for place in site.places(path_of(name)):
        language = place.language
        source = site.add_data(f"learn-{name}.{language}", pack_stops(chapter, language))
        site.add_page(place, chapter_page(place, site.languages, chapter, source, names))
        home = site.places("index.html")[site.languages.index(language)]
        links = [(place.path, say(language, "site.learn"))]
        title, facts = say(language, f"learn.chapter.{name}"), say(language, f"learn.{name}.title")
        shown = None if drawn is None else home.top + picture
        site.cards[language].append(Card(title, facts, shown, links))


def _add_exercises(site: Site, sheet: Sheet, library: Library) -> None:
    """Add the page of a sheet in every language."""
    pages = find_pages(sheet, library, site.files)
    for place in site.places(EXERCISES):
        site.add_page(place, exercise_page(place, site.languages, sheet, pages))


def _links_ahead(place: Place, exercises: Sheet | None) -> list[tuple[str, str]]:
    if exercises is None:
        return []
    return [(EXERCISES, say(place.language, "site.exercises", count=len(exercises.questions)))]


def _add_assets(site: Site) -> None:
    used = {path.rpartition("/")[2] for path in site.files}
    site.files["assets/style.css"] = read_styles("shared", "map", "lens", "site").encode()
    site.files["assets/boot.js"] = (ASSETS / "site" / "boot.js").read_bytes()
    rooms: dict[str, str] = {}
    if any(path.startswith(("models/", "sweeps/")) for path in site.files):
        worker = json.dumps(bundle_modules(WORKER_ENTRY), ensure_ascii=False)
        site.files["assets/worker.js"] = f"globalThis.latentWorker = {worker};\n".encode()
        site.files["assets/explore.js"] = bundle_modules("site/explore.js").encode()
        rooms["explore"] = "explore."
    if any(name.startswith("lens-") for name in used):
        site.files["assets/lens.js"] = bundle_modules("site/lens.js").encode()
        rooms["lens"] = "elbo.lens."
    if any(path.startswith("learn/") for path in site.files):
        site.files["assets/learn.js"] = bundle_modules("site/learn.js").encode()
        site.files["assets/style.css"] += theme_styles().encode()
        rooms["learn"] = "site.page."
    if EXERCISES in site.files:
        site.files["assets/exercises.js"] = bundle_modules("site/exercises.js").encode()
        rooms["exercises"] = "site.exercise."
    for room, prefix in rooms.items():
        for language in site.languages:
            script = words_script(language, prefix)
            site.files[f"assets/words-{room}.{language}.js"] = script.encode()


def _write(content: bytes, stream: BinaryIO) -> None:
    stream.write(content)


def _credit(site: Site, pictures: Pictures | None) -> str:
    credit = "" if pictures is None else pictures.credit
    if credit:
        site.credits.add(credit)
    return credit


def _label(run: Run, pictures: Pictures, index: int, language: str) -> str:
    dataset = run.info.dataset
    if pictures.labels is not None and dataset is not None and dataset.class_names:
        return dataset.class_names[int(pictures.labels[index])]
    return say(language, "site.image", number=index + 1)


def _facts(run: Run, language: str) -> str:
    dataset = run.info.dataset
    values: dict[str, Any] = {
        "images": "–" if dataset is None else dataset.name,
        "latents": run.info.latent_dim,
    }
    elbo = run.info.best_results.get("elbo")
    if elbo is None or not run.info.has_density:
        return say(language, "site.facts_bare", **values)
    return say(language, "site.facts", elbo=number(elbo, ".1f"), **values)
