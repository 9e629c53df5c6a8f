"""β lab: models that differ in β alone, side by side, live or from the shelf."""

import dataclasses

import streamlit as st

from explorer.app.parts.address import leave_behind
from explorer.app.parts.choices import kept_choice
from explorer.app.parts.failures import told
from explorer.app.parts.images import offer_own_images
from explorer.app.parts.jobs import try_or_toast
from explorer.app.parts.kept import Kept, count_up, move_widget
from explorer.app.parts.lede import show_lede
from explorer.app.session import library
from explorer.app.text import explain, plain, text
from explorer.app.views.beta.figures import show_figures
from explorer.app.views.beta.lab import NAMED, send_lab_anew
from explorer.app.views.beta.members import find_members
from explorer.app.views.beta.progress import (
    Signature,
    follow_folder,
    show_members,
    show_transport,
    sign,
)
from explorer.app.views.runs.questions import are_sweep, show_count
from explorer.config import BudgetConfig, Config, OptimiserConfig
from explorer.errors import ExplorerError
from explorer.facts import LIKELIHOODS
from explorer.recipes import default_config
from explorer.runs.run import new_run_id
from explorer.runs.sweeps import Sweep, read_sweep
from explorer.visitors.house import get_house

TICK_SECONDS = 1.0
BETAS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 32.0, 40.0, 64.0)
CHOICES = tuple(name for name, facts in LIKELIHOODS.items() if facts.wakes_by_rule)
CHOICE = "beta_choose"
STARTED = Kept("beta_started", 0)
"""How many families this visitor has started."""


def find_sweeps() -> dict[str, tuple[Sweep, bool]]:
    """Return the sweeps by id, own ones first, and whether each is shipped."""
    return {
        name: (sweep, not library().holds(sweep.path))
        for name, sweep in library().sweeps().items()
        if len(sweep.configs) > 1
    }


def offer_training() -> None:
    """Show the settings of a new family and start it."""
    # A new key is a new popover, which is closed: Start leaves the view on the family.
    started = STARTED.get()
    with st.popover(text("beta.new"), icon=":material/play_arrow:", key=f"beta_new_{started}"):
        ready = library().image_sets()
        dataset = st.selectbox(text("beta.dataset"), ready, key="beta_dataset")
        offer_own_images("beta_dataset", "beta_own")
        betas = st.multiselect(
            text("beta.betas"),
            BETAS,
            [0.25, 1.0, 4.0, 16.0],
            key="beta_betas",
            help=text("beta.betas_help"),
            max_selections=12,
            format_func=lambda b: f"{b:g}",
        )
        likelihood = st.selectbox(
            text("beta.likelihood"),
            CHOICES,
            key="beta_likelihood",
            format_func=lambda name: text(f"train.likelihood.{name}"),
        )
        latent_dim = st.number_input(text("beta.latent_dim"), 1, 64, 2, key="beta_latent_dim")
        seconds = st.number_input(
            text("beta.seconds"), 2, 3600, 30, key="beta_seconds", help=text("train.seconds_help")
        )
        if len(betas) < 2:
            st.caption(text("beta.too_few"))
        st.button(
            text("beta.start"),
            key=f"beta_start_{started}",
            type="primary",
            disabled=len(betas) < 2,
            on_click=_start,
            args=(started, dataset, sorted(betas), likelihood, int(latent_dim), float(seconds)),
        )
        if get_house() is None:  # Elsewhere the visitor has no command line.
            st.caption(text("beta.elsewhere", folder=plain(library().own.folder)))


def _start(
    started: int,
    dataset: str,
    betas: list[float],
    likelihood: str,
    latent_dim: int,
    seconds: float,
) -> None:
    from explorer.training.family import family_configs

    # The button stands until the page is drawn anew: a second press starts no second family.
    if started != STARTED.get():
        return
    # Convolutions are not stacked into families: large images too get a dense network here.
    base = default_config(dataset, latent_dim, seconds, "mlp", library().image_shape(dataset))
    configs = family_configs(_shape_member(base, likelihood, seconds), betas)
    name = new_run_id(dataset, f"{len(betas)}-betas")
    if try_or_toast(library().submit_family, configs, library().own.folder / name):
        st.query_params["sweep"] = name
        move_widget(CHOICE, name)
        count_up(STARTED)


def _shape_member(config: Config, likelihood: str, seconds: float) -> Config:
    model = dataclasses.replace(config.model, hidden=(128, 64), likelihood=likelihood)
    return dataclasses.replace(
        config, model=model, optimiser=OptimiserConfig(), budget=BudgetConfig(seconds=seconds)
    )


@told()
def show_sweep(sweep: Sweep, shown: Signature) -> None:
    """Show one sweep as it is now: how far it is, and its models."""
    try:
        sweep = read_sweep(sweep.path)
    except ExplorerError as error:
        st.error(explain(error))
        return
    progress = sweep.progress()
    if sign(sweep, progress) != shown:
        st.rerun()
    show_members(sweep, progress, is_active=shown[0])
    members = find_members(sweep)
    if members:
        show_figures(sweep, members, live=shown[0])
        measured = [member.run for member in members if "elbo" in member.run.info.best_results]
        if len(measured) > 1 and are_sweep(measured):
            st.markdown(f"**{text('questions.latents')}**")
            show_count([(run.name, run) for run in measured])
    elif shown[0]:
        st.caption(text("job.waiting" if sweep.kind == "family" else "beta.sweep_waiting"))


def describe_grid(sweep: Sweep) -> str:
    """Return in what the models differ where it is more than β; empty where it is β alone."""
    grid = sweep.grid
    if set(grid) <= {"beta"}:
        return ""
    named = [text(f"beta.differs.{name}") if name in NAMED else name for name in grid]
    return text("beta.differs.join").join(named)


def show_page() -> None:
    """Lay out the page."""
    sweeps = find_sweeps()
    asked = st.query_params.get("sweep")
    kept = kept_choice(CHOICE, sweeps, "sweep")
    differs = "" if kept is None else describe_grid(sweeps[kept][0])
    if differs:
        show_lede("beta.lead.grid", names=differs)
    else:
        show_lede("beta.lead")
    with st.container(horizontal=True, vertical_alignment="center", key="beta_bar"):
        chosen = None
        if kept is not None:
            names = list(sweeps)
            chosen = st.selectbox(
                text("beta.choose"),
                names,
                names.index(kept),
                key=CHOICE,
                width=420,
                label_visibility="collapsed",
                format_func=lambda i: text("beta.shipped", name=i) if sweeps[i][1] else i,
            )
        offer_training()
    follow_folder(chosen)
    if chosen is None:
        st.info(text("beta.none"), icon=":material/school:")
        return
    if chosen != asked:
        if asked is not None:
            leave_behind(("step", "model"))
        st.query_params["sweep"] = chosen
    sweep = sweeps[chosen][0]
    progress = sweep.progress()
    signature = sign(sweep, progress)
    if sweep.kind == "family" and signature[0]:
        show_transport(sweep, signature[1])
    send_lab_anew()
    st.fragment(show_sweep, run_every=TICK_SECONDS if signature[0] else None)(sweep, signature)


show_page()
