"""Models side by side: the same images, their reconstructions, maps and samples."""

import html
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from explorer.analysis.holes import RANDOM_CODES, SOURCES
from explorer.analysis.latents import linear_components
from explorer.app.cached import get_codes, get_run_with_model, own_runs
from explorer.app.cached_compare import (
    find_figures,
    get_backdrop,
    get_draws,
    get_hole_map,
    get_holes,
    get_images,
    get_neighbours,
    get_pictures,
    list_comparable,
    reconstruct,
)
from explorer.app.session import is_dark
from explorer.app.text import sentences, text
from explorer.app.views.watch import CHART, show_strip
from explorer.config import FITS, Config
from explorer.datasets import DATASETS, load_dataset
from explorer.errors import ExplorerError
from explorer.export.payload import Pictures
from explorer.export.pictures import is_at_hand
from explorer.figures.compare import (
    Square,
    common_square,
    component_images,
    fit_square,
    share_bars,
    small_map,
)
from explorer.figures.palette import choose_roles
from explorer.figures.pictures import picture_sheet
from explorer.run import Array, Run, new_run_id

FAVOURITES = ("strokes-ae-2d", "strokes-ae-noise-2d", "strokes-vae-2d", "strokes-ppca-2d")
FIRST_DATA = "strokes"
MOST = 5
SHOWN_IMAGES = 8
SHOWN_CODES = 800
SHOWN_DRAWS = 120
BEHIND = ("nothing", "pictures", "holes")
ORDERS = ("drawn", "worst")
HEIGHTS = {2: 400, 3: 330, 4: 246, 5: 210}
"""Height in pixels of a map by the number of models, so that it is about as wide."""


def name_kind(config: Config) -> str:
    """Return which of the notes' models a config is."""
    model = config.model
    if config.method in FITS:
        return config.method
    if model.latent == "categorical":
        return "vq"
    if model.latent == "point":
        return "noise" if model.noise else "ae"
    return "mixture" if model.prior == "mixture" else "vae"


def kind_of(run: Run) -> str:
    """Return which of the notes' models a run is."""
    config = run.info.config
    assert config is not None
    return name_kind(config)


def choose_runs() -> list[Run]:
    """Show the choice of images and models, and return the chosen runs."""
    found = list_comparable()
    if not found:
        st.info(text("compare.none"))
        return []
    names = sorted(found, key=lambda name: name != FIRST_DATA)
    asked = st.query_params.get("images")
    left, right = st.columns([1, 4], vertical_alignment="bottom")
    with left:
        dataset = st.selectbox(
            text("compare.dataset"), names, names.index(asked) if asked in names else 0,
            key="compare_images",
        )  # fmt: skip
    runs = {run.id: run for run in found[dataset]}
    wanted = [name for name in st.query_params.get("models", "").split(",") if name in runs]
    start = wanted or [name for name in FAVOURITES if name in runs] or suggest(found[dataset])
    with right:
        chosen = st.multiselect(
            text("compare.models"), list(runs), start[:MOST], key=f"compare_of_{dataset}",
            max_selections=MOST, help=text("compare.models_help"),
            format_func=lambda name: runs[name].name if name in runs else name,
        )  # fmt: skip
    st.query_params["images"] = dataset
    st.query_params["models"] = ",".join(chosen)
    return [runs[name] for name in chosen if name in runs]


def suggest(runs: Sequence[Run]) -> list[str]:
    """Return which models to open: one of each kind, the smallest; at least three where there are.

    Members of sweeps come last.
    """

    def place(run: Run) -> tuple[bool, bool, int, str]:
        info = run.info
        return "/" in run.id, info.latent_kind == "categorical", info.latent_dim, run.id

    ordered = sorted(runs, key=place)
    firsts: dict[str, str] = {}
    for run in ordered:
        firsts.setdefault(kind_of(run), run.id)
    chosen = list(firsts.values())
    others = [run.id for run in ordered if run.id not in chosen]
    return [*chosen, *others[: max(0, 3 - len(chosen))]][:MOST]


def choose_view() -> tuple[str, str, str, bool]:
    """Show what can be looked at: behind the map, source of codes, order of samples, scale."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_controls"):
        behind = _segments("behind", BEHIND)
        source = _segments("source", SOURCES, text("compare.source_help"))
        order = _segments("order", ORDERS)
        same = st.toggle(text("compare.same_scale"), key="compare_scale", bind="query-params")
    return behind, source, order, same


def _segments(what: str, options: Sequence[str], hint: str | None = None) -> str:
    # Not bound to the address by Streamlit, which would write the labels of one language there.
    asked = st.query_params.get(what, "")
    start = asked if asked in options else options[0]
    chosen: str = st.segmented_control(
        text(f"compare.{what}"), options, default=start,
        required=True, help=hint, key=f"compare_{what}",
        format_func=lambda name: text(f"compare.{what}.{name}"),
    )  # fmt: skip
    st.query_params[what] = chosen
    return chosen


def main_axes(run: Run) -> tuple[int, int]:
    """Return the two dimensions that spread the codes most."""
    codes = get_codes(run)
    if codes is None or codes.mean.shape[1] <= 2:
        return 0, 1
    first, second = sorted(np.argsort(-codes.mean.var(0), kind="stable")[:2].tolist())
    return first, second


def find_squares(runs: Sequence[Run], same: bool) -> dict[str, Square]:
    """Return the part of the plane that each model with a map shows."""
    squares = {}
    for run in runs:
        codes = get_codes(run)
        if codes is not None and run.info.latent_kind != "categorical":
            plane = codes.mean[:, list(main_axes(run))[: codes.mean.shape[1]]]
            flat = np.stack([plane[:, 0], np.zeros(len(plane))], 1)
            squares[run.id] = fit_square(plane if plane.shape[1] == 2 else flat)
    if same and squares:
        together = common_square(list(squares.values()))
        squares = dict.fromkeys(squares, together)
    return squares


def pick_images(pictures: Pictures | None) -> Array | None:
    """Return one picture of each of the first classes, uint8 (M, C, H, W)."""
    if pictures is None:
        return None
    if pictures.labels is None:
        return pictures.images[:SHOWN_IMAGES]
    firsts = [int(np.argmax(pictures.labels == label)) for label in np.unique(pictures.labels)]
    return pictures.images[firsts[:SHOWN_IMAGES]]


def describe(run: Run) -> str:
    """Return the line under a model's heading."""
    info = run.info
    config = info.config
    assert config is not None
    values: dict[str, Any] = {"name": run.name, "latents": info.latent_dim}
    kind = kind_of(run)
    if info.latent_dim > 2 and kind != "vq":
        first, second = main_axes(run)
        values["name"] += " " + text("compare.many", first=first + 1, second=second + 1)
    if kind == "vq":
        return text("compare.under_codes", codes=config.model.codebook, **values)
    if kind == "noise":
        return text("compare.under_noise", noise=config.model.noise, **values)
    if kind in ("vae", "mixture"):
        return text("compare.under_beta", beta=config.objective.beta, **values)
    return text("compare.under", **values)


def show_model(
    run: Run,
    images: Array | None,
    square: Square | None,
    behind: str,
    source: str,
    order: str,
    height: int,
) -> None:
    """Show one model: heading, map, reconstructions, samples."""
    heading, under = html.escape(text("compare.kind." + kind_of(run))), html.escape(describe(run))
    st.html(
        f'<div class="explorer-model"><strong>{heading}</strong>'
        f'<small title="{under}">{under}</small></div>'
    )
    show_map(run, square, behind, source, height)
    if images is not None and images.shape[1:] == get_run_with_model(run).model.shape:
        pair = np.concatenate([images, reconstruct(run, images)])
        show_strip(picture_sheet(pair, len(images)), text("compare.strip"))
    show_samples(run, source, order)


def show_map(run: Run, square: Square | None, behind: str, source: str, height: int) -> None:
    """Show the codes of one model, or say why there is no map."""
    config, codes = run.info.config, get_codes(run)
    assert config is not None
    if square is None or codes is None:
        words = text("compare.no_map", positions=run.info.latent_dim, codes=config.model.codebook)
        st.html(
            f'<div class="explorer-nomap" style="height:{height}px">{html.escape(words)}</div>'
        )
        return
    axes = main_axes(run)
    pictures = holes = None
    flat = run.info.latent_dim >= 2
    if behind == "pictures" and flat:
        pictures = get_backdrop(run, square, axes)
    if behind == "holes" and flat:
        measured, distances = get_holes(run, source), get_hole_map(run, square, axes)
        if measured is not None and distances is not None:
            holes = distances > measured.threshold
    shown = np.linspace(0, len(codes.mean) - 1, min(SHOWN_CODES, len(codes.mean))).astype(int)
    drawn = get_draws(run, source)[0][:SHOWN_DRAWS, list(axes)] if flat else None
    figure = small_map(
        codes.mean[shown],
        None if codes.labels is None else codes.labels[shown],
        run.info.dataset.class_names if run.info.dataset else (),
        choose_roles(is_dark()),
        square,
        axes=axes if flat else (0, 0),
        drawn=drawn,
        drawn_name=text("compare.random"),
        pictures=pictures,
        holes=holes,
        rings=kind_of(run) != "mixture",
        height=height,
        words=sentences("figure."),
    )
    st.plotly_chart(figure, theme=None, key=f"compare_map_{run.id}", config=CHART)


def show_samples(run: Run, source: str, order: str) -> None:
    """Show decoded random codes: as drawn, or those unlike any image first."""
    if run.info.latent_kind == "categorical":
        source = "prior"
    _, pictures = get_draws(run, source)
    holes = get_holes(run, source) if order == "worst" else None
    if holes is None:
        sheet = picture_sheet(pictures[: 2 * SHOWN_IMAGES], SHOWN_IMAGES)
        show_strip(sheet, text("compare.drawn"))
        return
    worst = np.argsort(-holes.distances)[:SHOWN_IMAGES]
    pair = np.concatenate([pictures[worst], get_images(run)[0][holes.nearest[worst]]])
    show_strip(picture_sheet(pair, SHOWN_IMAGES), text("compare.drawn_worst"))


def gather(runs: Sequence[Run], source: str) -> dict[str, dict[str, Any] | None]:
    """Return the figures of random codes of each run, measured where they are not yet."""
    with st.spinner(text("compare.measuring")):
        return {
            run.id: find_figures(run, "prior" if kind_of(run) == "vq" else source) for run in runs
        }


def show_figures(runs: Sequence[Run], figures: dict[str, dict[str, Any] | None]) -> None:
    """Show the table of figures."""
    keys = ("model", "likelihood", "reconstruction", "kl", "error", "neighbours", "holes", "missed")
    head = "".join(f"<th>{html.escape(text(f'compare.column.{key}'))}</th>" for key in keys)
    rows = "".join(f"<tr>{_row(run, figures[run.id])}</tr>" for run in runs)
    st.html(
        '<div class="explorer-compare"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    st.caption(text("compare.figures_caption"))


def _row(run: Run, found: dict[str, Any] | None) -> str:
    info = run.info
    assert info.config is not None
    result = info.results.get("test") or info.results.get("all") or {}
    near = get_neighbours(run)
    absent = text("compare.absent")
    cells = [
        html.escape(text("compare.kind." + kind_of(run)) + f" ({run.name})"),
        html.escape(text(f"train.likelihood.{info.config.model.likelihood}")),
        _number(result.get("reconstruction"), None, 1),
        _number(result["kl"], None, 2) if "kl" in result else absent,
        _number(found["squared_error"], found["squared_error_error"], 2) if found else "–",
        _number(100 * near.accuracy, 100 * near.standard_error, 1) if near else "–",
        *(
            _number(100 * found[key], 100 * found[f"{key}_error"], 1) if found else "–"
            for key in ("holes", "missed")
        ),
    ]
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _number(value: float | None, error: float | None, digits: int) -> str:
    if value is None:
        return "–"
    shown = f"{value:.{digits}f}".replace("-", "−")
    return shown if error is None else f"{shown} ± {error:.{digits}f}"


def show_holes(runs: Sequence[Run], figures: dict[str, dict[str, Any] | None]) -> None:
    """Show holes and missed images of the models side by side."""
    st.markdown(f"**{text('compare.holes_title')}**")
    measured = [(run, found) for run in runs if (found := figures[run.id]) is not None]
    if not measured:
        st.caption(text("compare.holes_missing"))
        return
    shares = [
        [(found[key], found[f"{key}_error"]) for _, found in measured]
        for key in ("holes", "missed")
    ]
    figure = share_bars(
        _distinct([run for run, _ in measured]),
        shares,
        [text(f"compare.share.{key}") for key in ("holes", "missed")],
        choose_roles(is_dark()),
        text("compare.usual"),
        110 + 36 * len(measured),
    )
    st.plotly_chart(figure, theme=None, key="compare_shares", config=CHART)
    st.caption(text("compare.holes_caption", count=RANDOM_CODES))


def _distinct(runs: Sequence[Run]) -> list[str]:
    """Return the kinds' names, the runs' own where a kind comes twice."""
    kinds = [kind_of(run) for run in runs]
    return [
        text(f"compare.kind.{kind}") if kinds.count(kind) == 1 else run.name
        for kind, run in zip(kinds, runs, strict=True)
    ]


def tell_story(runs: Sequence[Run], figures: dict[str, dict[str, Any] | None]) -> str | None:
    """Return what noise and KL do apart, in this comparison's numbers, where they show it."""
    by_kind = {kind_of(run): run for run in reversed(runs)}
    found = {kind: figures[by_kind[kind].id] for kind in ("ae", "noise", "vae") if kind in by_kind}
    if len(found) < 3 or not all(found.values()):
        return None
    missed = {kind: 100 * values["missed"] for kind, values in found.items() if values}
    spread = {}
    for kind in found:
        codes = get_codes(by_kind[kind])
        if codes is None:
            return None
        spread[kind] = float(codes.mean.std(0).mean())
    if not (missed["vae"] < missed["ae"] < missed["noise"] and spread["ae"] < spread["noise"]):
        return None
    return text(
        "compare.story", plain=missed["ae"], noise=missed["noise"], vae=missed["vae"],
        plain_spread=spread["ae"], noise_spread=spread["noise"], vae_spread=spread["vae"],
    )  # fmt: skip


def show_components(runs: Sequence[Run]) -> None:
    """Show the decoder's columns of the linear models as images."""
    linear = [
        run
        for run in runs
        if run.info.config is not None and run.info.config.model.network == "linear"
    ]
    if not linear:
        return
    st.markdown(f"**{text('compare.components')}**")
    for run, name, column in zip(linear, _distinct(linear), st.columns(4), strict=False):
        model = get_run_with_model(run).model
        images = component_images(linear_components(model)[:SHOWN_IMAGES])
        with column:
            show_strip(picture_sheet(images, len(images)), name)
    st.caption(text("compare.components_caption"))


def offer_images(dataset: str) -> None:
    """Say what stands in for images that are not at hand, and offer to draw them."""
    st.caption(text("compare.stand_in", name=dataset))
    if dataset in DATASETS and DATASETS[dataset].offline:
        if st.button(
            text("compare.draw", name=dataset), key="compare_draw", help=text("compare.draw_help")
        ):
            with st.spinner(text("compare.drawing", name=dataset)):
                load_dataset(dataset)
            st.rerun()


def offer_fit(dataset: str) -> None:
    """Offer to fit a linear model to the same images."""
    from explorer.training.fit import fit_config
    from explorer.training.loop import train

    with st.popover(text("compare.fit"), icon=":material/add:", help=text("compare.fit_help")):
        method = st.selectbox(
            text("compare.fit_model"), list(FITS), key="compare_fit_model",
            format_func=lambda name: text(f"compare.kind.{name}"),
        )  # fmt: skip
        latents = st.number_input(text("compare.fit_latents"), 1, 64, 2, key="compare_fit_latents")
        if not st.button(text("compare.fit_start", name=dataset), key="compare_fit"):
            return
        name = text(f"compare.kind.{method}")
        try:
            with st.spinner(text("compare.fit_running", model=name, name=dataset)):
                folder = own_runs().folder / new_run_id(dataset, method, f"{latents}d")
                root = os.environ.get("LATENT_EXPLORER_DATA")
                run = train(fit_config(dataset, method, int(latents)), folder, data_root=root)
        except ExplorerError as error:
            st.error(str(error))
            return
    st.session_state["compare_added"] = (dataset, run.id)
    st.rerun()


def add_fitted() -> None:
    """Put a model that was just fitted among the chosen ones."""
    dataset, run_id = st.session_state.pop("compare_added", (None, None))
    key = f"compare_of_{dataset}"
    if dataset is not None and len(st.session_state.get(key, [])) < MOST:
        st.session_state[key] = [*st.session_state.get(key, []), run_id]


def show_comparison() -> None:
    """Lay out the section."""
    add_fitted()
    runs = choose_runs()
    if not runs:
        return
    if len(runs) < 2:
        st.info(text("compare.too_few"))
        return
    try:
        compare(runs)
    except ExplorerError as error:
        st.error(str(error))


def compare(runs: Sequence[Run]) -> None:
    """Show the chosen models side by side, then in figures."""
    behind, source, order, same = choose_view()
    assert runs[0].info.dataset is not None
    dataset = runs[0].info.dataset.name
    at_hand = is_at_hand(dataset)
    if not at_hand and (behind == "holes" or order == "worst"):
        st.info(text("compare.need_images", name=dataset))
    images = pick_images(get_pictures(runs[0]))
    squares = find_squares(runs, same)
    figures = gather(runs, source)
    for run, column in zip(runs, st.columns(len(runs)), strict=True):
        with column:
            height = HEIGHTS[len(runs)]
            show_model(run, images, squares.get(run.id), behind, source, order, height)
    caption = text("compare.map_caption")
    if behind == "holes" and at_hand:
        caption = f"{text('compare.map_caption_holes')} {caption}"
    st.caption(caption)
    if not at_hand:
        offer_images(dataset)
    if source == "prior" and (story := tell_story(runs, figures)):
        st.markdown(story)
    left, right = st.columns([5, 3], gap="large")
    with left:
        st.markdown(f"**{text('compare.figures')}**")
        show_figures(runs, figures)
    with right:
        show_holes(runs, figures)
    show_components(runs)
    if at_hand:
        offer_fit(dataset)
