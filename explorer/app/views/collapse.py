"""Collapse: which dimensions are in use, since when, why not, and what brings them back."""

import os
import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.analysis.beta import (
    KL_REDUCTIONS,
    RECONSTRUCTION_REDUCTIONS,
    RECONSTRUCTIONS,
    WrittenLoss,
    effective_beta,
)
from explorer.analysis.collapse import diagnose_file
from explorer.analysis.timeline import DEAD_NATS, find_events
from explorer.app.cached import (
    diagnose_stored,
    find_run,
    get_runner,
    measure_eigenvalues,
    own_runs,
)
from explorer.app.session import is_dark
from explorer.app.text import text
from explorer.app.views.watch import CHART, show_strips
from explorer.config import Config
from explorer.datasets import DATASETS, is_available
from explorer.errors import ExplorerError
from explorer.figures.collapse import collapse_timeline, rate_curves, variance_plane
from explorer.figures.palette import choose_roles
from explorer.remedies import KINDS, REMEDIES, apply_remedy
from explorer.run import Run
from explorer.store import pretrained_store

TICK_SECONDS = 1.5
VERDICTS = ("active", "weak", "mixed", "collapsed", "empty", "ignored", "uncertain")


def list_patients() -> list[str]:
    """Return the ids of the runs that have a posterior and codes, the prepared patient first."""
    runs = own_runs().list() + pretrained_store().list()
    ids = [
        run.id
        for run in runs
        if run.info.latent_kind == "gaussian" and (run.path / "codes.npz").is_file()
    ]
    return sorted(ids, key=lambda run_id: run_id != "mnist-collapsed")


def show_diagnosis(values: dict[str, Any], config: Config | None) -> None:
    """Show the state in words and four figures."""
    count = len(values["dimensions"])
    asleep = count - values["in_use"]
    st.subheader(text(f"collapse.state.{values['state']}", count=count, asleep=asleep))
    help_text = text("collapse.figure.help", count=values["images"])
    columns = st.columns(4)
    figures = (
        ("active", f"{values['active_units']} / {count}"),
        # Without any rate the shares of the dimensions are noise.
        (
            "effective",
            _with_error(values, "effective_dimensions") if values["active_units"] else "0",
        ),
        ("rate", _with_error(values, "rate")),
        ("information", _with_error(values, "mutual_information")),
    )
    for column, (name, shown) in zip(columns, figures, strict=True):
        column.metric(text(f"collapse.figure.{name}"), shown, help=help_text)
    if config is not None and (config.objective.free_bits or config.objective.free_bits_total):
        st.warning(text("collapse.floor"))


def _with_error(values: dict[str, Any], name: str) -> str:
    return f"{values[name]:.2f} ± {values[name + '_error']:.2f}"


def show_dimensions(values: dict[str, Any], key: str) -> None:
    """Show the plane and the table of verdicts."""
    rows = values["dimensions"]
    left, right = st.columns([1, 1.5], gap="medium")
    with left:
        st.markdown(f"**{text('collapse.plane')}**")
        figure = variance_plane(
            [f"z{row['index'] + 1}" for row in rows],
            [row["var_mean"] for row in rows],
            [row["mean_var"] for row in rows],
            [row["verdict"] for row in rows],
            {name: text(f"collapse.verdict.{name}").partition(":")[0] for name in VERDICTS},
            choose_roles(is_dark()),
        )
        st.plotly_chart(figure, theme=None, key=f"collapse_plane_{key}", config=CHART)
        st.caption(text("collapse.plane.caption"))
    with right:
        st.markdown(f"**{text('collapse.table')}**")
        st.dataframe(
            [_describe(row) for row in sorted(rows, key=lambda row: -row["kl"])],
            hide_index=True,
            height=300,
            column_config={
                text(f"collapse.column.{name}"): st.column_config.NumberColumn(format="%.3f")
                for name in ("kl", "kl_error", "var_mean", "mean_var", "information", "shuffle")
            },
        )
        st.caption(text("collapse.table.caption"))


def _describe(row: dict[str, Any]) -> dict[str, Any]:
    cause = row["cause"]
    values = {
        "dimension": f"z{row['index'] + 1}",
        "verdict": text(f"collapse.verdict.{row['verdict']}"),
        "confidence": f"{row['confidence']:.0%}",
        "kl": row["kl"],
        "kl_error": row["kl_error"],
        "var_mean": row["var_mean"],
        "mean_var": row["mean_var"],
        "information": row["mutual_information"],
        "shuffle": row["shuffle"],
        "cause": text(f"collapse.cause.short.{cause}") if cause else "",
    }
    return {text(f"collapse.column.{name}"): value for name, value in values.items()}


def show_timeline(run: Run) -> None:
    """Show KL over dimension and step with the events."""
    st.markdown(f"**{text('collapse.timeline')}**")
    points = [point for point in run.metrics("train") if "kl_per_dim" in point]
    if not points:
        st.caption(text("collapse.timeline.none"))
        return
    found = find_events([p["step"] for p in points], [p["kl_per_dim"] for p in points])
    events = [(event.dimension, event.step, event.kind) for event in found]
    figure = collapse_timeline(points, events, choose_roles(is_dark()), height=270)
    st.plotly_chart(figure, theme=None, key="collapse_timeline", config=CHART)
    st.caption(text("collapse.timeline.caption", dead=DEAD_NATS))


def show_causes(values: dict[str, Any]) -> None:
    """Say why dimensions are asleep, with the evidence."""
    st.markdown(f"**{text('collapse.why')}**")
    if not values["causes"]:
        asleep = values["in_use"] < len(values["dimensions"])
        st.markdown(text("collapse.why.unknown" if asleep else "collapse.why.none"))
    for cause in values["causes"]:
        evidence = cause["evidence"]
        named = ", ".join(f"z{index + 1}" for index in cause["dimensions"])
        st.markdown(
            text(
                f"collapse.cause.{cause['code']}",
                dimensions=named,
                top=evidence.get("top_eigenvalue_now", 0.0),
                beta=evidence.get("beta", 1.0),
                awake=evidence.get("awake_at_collapse", 0),
            )
            + " "
            + text("collapse.confidence", value=cause["confidence"])
        )


def find_treated(run: Run) -> list[tuple[str, Run]]:
    """Return (remedy, run) for the runs that are `run` with one remedy, newest first."""
    config = run.info.config
    if config is None:
        return []
    cures = {
        name: apply_remedy(name, config) for name, cure in REMEDIES.items() if cure.fits(config)
    }
    others = own_runs().list() + pretrained_store().list()
    return [
        (name, other)
        for other in others
        for name, cured in cures.items()
        if other.info.config == cured and other.id != run.id
    ]


def offer_remedies(run: Run) -> None:
    """Show the remedies by kind; a click trains one beside the patient."""
    config = run.info.config
    if config is None or run.info.model_kind != "builtin":
        return
    st.markdown(f"**{text('collapse.remedies')}**")
    st.caption(text("collapse.remedies.caption"))
    ready = config.dataset in DATASETS and is_available(config.dataset)
    if not ready:
        st.caption(text("collapse.remedies.needs_images"))
    for kind, column in zip(KINDS, st.columns(3), strict=True):
        with column:
            label = text(f"collapse.kind.{kind}")
            st.markdown(label, help=text(f"collapse.kind.{kind}.help"))
            with st.container(horizontal=True):
                for name, remedy in REMEDIES.items():
                    if remedy.kind == kind and remedy.fits(config):
                        st.button(
                            text(f"collapse.remedy.{name}"), key=f"collapse_remedy_{name}",
                            disabled=not ready, on_click=_treat, args=(run, name),
                        )  # fmt: skip


def _treat(run: Run, name: str) -> None:
    config = run.info.config
    assert config is not None
    runs = own_runs()
    path = runs.new_path(config.dataset, name)
    try:
        cured = apply_remedy(name, config)
        get_runner().submit(cured, path, os.environ.get("LATENT_EXPLORER_DATA"))
        runs.open(path.name).rename(f"{run.name[:50]} · {text(f'collapse.remedy.{name}')}")
    except ExplorerError as error:
        st.toast(str(error))
        return
    st.session_state["collapse_after"] = path.name


def compare_treated(run: Run, was_live: bool) -> None:
    """Show the patient and a treated one side by side."""
    treated = find_treated(run)
    if not treated:
        return
    wanted = st.session_state.get("collapse_after")
    name, after = next((pair for pair in treated if pair[1].id == wanted), treated[0])
    live = after.info.status.is_alive()
    if live != was_live:
        st.rerun()
    st.markdown(f"**{text('collapse.compare', remedy=text(f'collapse.remedy.{name}'))}**")
    curves = {
        text("collapse.before"): run.metrics("train"),
        text("collapse.after"): after.metrics("train"),
    }
    figure = rate_curves(curves, choose_roles(is_dark()))
    st.plotly_chart(figure, theme=None, key="collapse_compare", config=CHART)
    st.caption(text("collapse.compare.caption"))
    for title, shown, column in zip(curves, (run, after), st.columns(2), strict=True):
        with column:
            st.markdown(f"**{title}** · {shown.name}")
            info = shown.info
            if info.status.is_alive() and info.planned_steps:
                points = shown.metrics("train")
                step = points[-1]["step"] if points else 0
                st.progress(
                    min(1.0, step / info.planned_steps),
                    text("collapse.training", step=step, planned=info.planned_steps),
                )
            elif (shown.path / "codes.npz").is_file():
                values = diagnose_stored(str(shown.path), shown.fingerprint)
                st.markdown(
                    text(
                        "collapse.summary",
                        active=values["active_units"],
                        count=len(values["dimensions"]),
                        rate=values["rate"],
                        error=values["rate_error"],
                        information=values["mutual_information"],
                    )
                )
            steps = shown.snapshot_steps()
            if steps:
                show_strips(shown.snapshot(steps[-1]))


def ask_for_codes() -> None:
    """Diagnose an .npz of anyone's codes."""
    with st.expander(text("collapse.own"), icon=":material/upload:"):
        st.caption(text("collapse.own.help"))
        given = st.file_uploader(text("collapse.own.drop"), type="npz", key="collapse_codes")
        if given is None:
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "codes.npz"
            path.write_bytes(given.getvalue())
            try:
                values = diagnose_file(path).to_dict()
            except ExplorerError as error:
                st.error(str(error))
                return
        st.markdown(text("collapse.own.title", name=given.name))
        show_diagnosis(values, None)
        show_dimensions(values, "own")


def ask_for_loss() -> None:
    """Show the form "what is my β?" and its answer."""
    with st.expander(text("collapse.beta"), icon=":material/balance:"):
        st.caption(text("collapse.beta.caption"))
        left, middle, right = st.columns(3)
        with left:
            reconstruction = _pick("reconstruction", RECONSTRUCTIONS, "reconstruction")
            reduction = _pick("reduction", RECONSTRUCTION_REDUCTIONS, "reduction", 2)
            weight = st.number_input(
                text("collapse.beta.reconstruction_weight"), 1e-9, 1e9, 1.0, format="%.6g",
                key="collapse_weight",
            )  # fmt: skip
        with middle:
            kl_reduction = _pick("kl_reduction", KL_REDUCTIONS, "reduction", 1)
            kl_weight = st.number_input(
                text("collapse.beta.kl_weight"), 0.0, 1e9, 1.0, format="%.6g",
                key="collapse_kl_weight",
            )  # fmt: skip
            latents = st.number_input(
                text("collapse.beta.latent_dim"), 1, 4096, 20, key="collapse_latents"
            )
        with right:
            ready = [name for name in DATASETS if is_available(name)]
            dataset = st.selectbox(text("collapse.beta.dataset"), ready, key="collapse_dataset")
            batch = st.number_input(
                text("collapse.beta.batch_size"), 1, 10**6, 128, key="collapse_batch"
            )
        channels, height, width = DATASETS[dataset].shape
        binary = reconstruction == "cross-entropy"
        eigenvalues = measure_eigenvalues(dataset, "bernoulli" if binary else "gaussian")
        loss = WrittenLoss(
            reconstruction, channels, height, width, int(latents), int(batch),
            reduction, kl_reduction, weight, kl_weight,
        )  # fmt: skip
        result = effective_beta(loss, eigenvalues)
        key = "collapse.beta.plain" if result.sigma2 is None else "collapse.beta.sigma2"
        st.markdown(
            text(
                key, beta=result.beta, sigma2=result.sigma2 or 0.0, dataset=dataset,
                surviving=result.surviving, latents=latents,
            )
        )  # fmt: skip
        for note in result.notes:
            st.markdown("- " + text(f"collapse.note.{note}"))
        st.caption(text("collapse.beta.paste"))
        st.code(result.corrected, language="python")


def _pick(name: str, options: tuple[str, ...], words: str, index: int = 0) -> str:
    return st.selectbox(
        text(f"collapse.beta.{name}"), options, index, key=f"collapse_{name}",
        format_func=lambda option: text(f"collapse.beta.{words}.{option}"),
    )  # fmt: skip


def show_page() -> None:
    """Lay out the page."""
    st.caption(text("collapse.lead"))
    patients = list_patients()
    asked = st.query_params.get("run")
    chosen = st.selectbox(
        text("collapse.choose"), patients, key="collapse_choose", width=420,
        index=patients.index(asked) if asked in patients else 0,
    )  # fmt: skip
    if chosen is not None:
        st.query_params["run"] = chosen
        try:
            run = find_run(chosen)
            with st.spinner():
                values = diagnose_stored(str(run.path), run.fingerprint)
        except ExplorerError as error:
            st.error(str(error))
            return
        show_diagnosis(values, run.info.config)
        left, right = st.columns([1.5, 1], gap="medium")
        with left:
            show_timeline(run)
        with right:
            show_causes(values)
        show_dimensions(values, "run")
        offer_remedies(run)
        live = any(other.info.status.is_alive() for _, other in find_treated(run))
        st.fragment(compare_treated, run_every=TICK_SECONDS if live else None)(run, live)
    ask_for_loss()
    ask_for_codes()


show_page()
