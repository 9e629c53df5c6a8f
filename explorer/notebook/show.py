"""What a notebook calls: the map of a run or of two functions, one image's lens, a run's film.

import explorer
widget = explorer.show("mnist-2d")
widget                       # hover, drag, draw, lasso
widget.z, widget.selection   # where it stands, and which images are selected
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError
from explorer.library import Library, find_lack
from explorer.runs.run import Run
from explorer.runs.store import open_run
from explorer.text import sentences

if TYPE_CHECKING:
    from explorer.notebook.film import FilmWidget
    from explorer.notebook.frame import Frame
    from explorer.notebook.lens import LensWidget
    from explorer.notebook.map import MapWidget

RunLike = Run | str | os.PathLike[str]


def show(
    run: RunLike | None = None,
    *,
    encode: Callable[..., Any] | None = None,
    decode: Callable[..., Any] | None = None,
    images: Any = None,
    labels: Any = None,
    name: str = "my model",
    frame: bool = False,
    language: str = "en",
) -> "MapWidget | Frame":
    """Return the latent map as a widget of this notebook.

    `run` is a run, its id or its folder, as `explorer.adopt` and `explorer.train` return and name
    them. In its place two functions that are still at work will do: `encode` of pixels
    (B, C, H, W) in [0, 1] to the mean, or to (mean, log-variance), each (B, K); `decode` of z
    (B, K) to pixels; and `images` (with `labels`) as `explorer.adopt` takes them. Those are decoded
    by the kernel, so while a cell runs their map waits. With `frame` the run's page stands in
    the cell by itself: it needs no widget manager and returns nothing. ExplorerError in one
    sentence.
    """
    if run is None:
        if encode is None or decode is None or images is None:
            raise ExplorerError(
                "Give a run, show(run), or two functions and their images: "
                "show(encode=…, decode=…, images=…)."
            )
        if frame:
            raise ExplorerError(
                "A frame asks no kernel: adopt the model first, then show(run, frame=True)."
            )
        return _show_live(encode, decode, images, labels, name, language)
    found = find(run)
    if find_lack(found, ("model", "map")):
        raise ExplorerError(f"{found.id} has no model with a latent map.")
    return _frame(found, language) if frame else _show_run(found, language)


def lens(run: RunLike, image: Any = 0, *, language: str = "en") -> "LensWidget":
    """Return one image's ELBO as a widget: be the encoder, and see what the gap costs.

    `run` has a model of two latents. `image` is a number, the image's place among the run's own,
    or an array (C, H, W) or (H, W): bytes, or numbers in [0, 1]. log p(x) is computed exactly
    first, for which a model takes seconds once. ExplorerError in one sentence.
    """
    from explorer.notebook.lens import build_lens_widget

    return build_lens_widget(find(run), image, language)


def timeline(run: RunLike, *, language: str = "en") -> "FilmWidget":
    """Return a run's training as a film: its map, its terms and its pictures, step by step.

    It follows a run that is still written, by a `RunWriter` of this notebook as well: show it,
    then train in the next cell. `run` is a run, its id or its folder, which may come later.
    """
    from explorer.notebook.film import FilmWidget

    return FilmWidget(_place_of(run), language)


def find(run: RunLike) -> Run:
    """Return a run that is given, or is named by its id or its folder."""
    if isinstance(run, Run):
        return run
    if not isinstance(run, str | os.PathLike):
        raise ExplorerError(
            f"A {type(run).__name__} is no run: give a run, its id or its folder; "
            "explorer.adopt makes one of a model."
        )
    return Run(run) if (Path(run) / "run.json").is_file() else open_run(os.fspath(run))


def _place_of(run: RunLike) -> Path:
    """Return the folder of a run that may not have begun."""
    try:
        return find(run).path
    except ExplorerError:
        return Path(os.fspath(run))  # type: ignore[arg-type]


def _show_run(run: Run, language: str) -> "MapWidget":
    from explorer.export.payload import build_payload
    from explorer.export.pictures import find_pictures
    from explorer.notebook.map import MapWidget

    pictures = find_pictures(run, Library().images_of(run))
    words = sentences(language, "explore.")
    return MapWidget(build_payload(run, pictures, words, language), run.model)


def _frame(run: Run, language: str) -> "Frame":
    from explorer.export.page import PAGE_IMAGE_BYTES, build_page
    from explorer.export.pictures import find_pictures
    from explorer.notebook.frame import Frame

    pictures = find_pictures(run, Library().images_of(run), PAGE_IMAGE_BYTES)
    return Frame(build_page(run, pictures, sentences(language, "explore."), language=language))


def _show_live(
    encode: Callable[..., Any],
    decode: Callable[..., Any],
    images: Any,
    labels: Any,
    name: str,
    language: str,
) -> "MapWidget":
    from explorer.adopting.pictures import gather_images
    from explorer.notebook.live import LiveModel, build_live_payload
    from explorer.notebook.map import MapWidget

    dataset = gather_images(images, labels, name)
    model = LiveModel(encode, decode, dataset)
    return MapWidget(build_live_payload(model, dataset, name, language), model)
