"""Train: the settings in one line, and below it the run that is watched."""

import dataclasses
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import streamlit as st

from explorer.app.parts.address import read_as
from explorer.app.parts.choices import N, bound_number, bound_select
from explorer.app.parts.images import offer_own_images
from explorer.app.parts.jobs import warm_worker
from explorer.app.parts.kept import read_widget
from explorer.app.parts.lede import show_lede
from explorer.app.parts.names import free_name, name_training
from explorer.app.session import get_session, library
from explorer.app.text import explain, plain, text
from explorer.app.views.train.watch import watch_run
from explorer.config import BudgetConfig, Config, ObjectiveConfig, OptimiserConfig
from explorer.config.model import LIKELIHOOD_NAMES, NETWORK_NAMES, code_grid
from explorer.config.objective import BETA_SCHEDULES
from explorer.errors import ExplorerError
from explorer.facts import LATENTS, LIKELIHOODS, PRIORS
from explorer.recipes import (
    Shape,
    categorical_config,
    choose_likelihood,
    choose_network,
    default_config,
    is_large,
)

# Widgets keep their values while the visitor looks at other pages.
KEEP: Final = "session"
BATCH: Final = OptimiserConfig().batch_size
KINDS = {"gaussian": "gaussian", "point": "point", "noise": "point", "categorical": "categorical"}
"""Kinds of model, and what their latents are; noise is a point code with fixed noise on it."""


def choose_config() -> Config:
    """Show the settings and return the config that they describe."""
    ready = library().image_sets()
    dataset = bound_select(
        "train_dataset", "images", ready, text("train.dataset"), persist_state=KEEP
    )
    shape = library().image_shape(dataset)
    # Other widgets for large images, and another one for colour: each stands on its own default.
    suffix = "_large" if is_large(shape) else ""
    code = LATENTS[KINDS[read_widget("train_kind", next(iter(KINDS)))]]
    latent_dim = _ask(
        "latent_dim",
        1,
        128,
        8 if suffix else 2,
        key=f"train_latent_dim{suffix}",
        disabled=not code.is_continuous,
    )
    suited = choose_likelihood(shape)
    likelihood = _pick(
        "likelihood",
        LIKELIHOOD_NAMES,
        LIKELIHOOD_NAMES.index(suited),
        suffix="_colour" if shape[0] > 1 else "",
    )
    beta = _ask("beta", 0.0, 1000.0, 1.0, 0.1, format="%.3g", disabled=not code.has_density)
    schedule = _pick("schedule", BETA_SCHEDULES, 1, disabled=not code.has_density)
    seconds = _ask(
        "seconds",
        2,
        3600,
        60 if suffix else 20,
        key=f"train_seconds{suffix}",
        help=text("train.seconds_help"),
    )
    with st.expander(text("train.more")):
        kind = _pick("kind", KINDS)
        code = LATENTS[KINDS[kind]]
        st.caption(text(f"train.kind.{kind}.help"))
        base = _choose_model(kind, dataset, shape, latent_dim, float(seconds))
        sigma2 = base.model.sigma2
        if LIKELIHOODS[likelihood].scale != "none":
            sigma2 = _ask(
                "sigma2",
                1e-4,
                10.0,
                sigma2,
                format="%.4g",
                key="train_sigma2_colour" if shape[0] > 1 else "train_sigma2",
            )
        shared = code.has_density and PRIORS[base.model.prior].has_shares
        free_bits = _ask("free_bits", 0.0, 10.0, 0.0, 0.05, disabled=not shared)
        batch = base.optimiser.batch_size
        key = "train_batch_size" if batch == BATCH else f"train_batch_size_{batch}"
        batch_size = _ask("batch_size", 1, 4096, batch, key=key)
        rate = base.optimiser.peak
        learning_rate = _ask(
            "learning_rate", 1e-6, 1.0, rate, key=f"train_learning_rate_{rate:g}", format="%.2g"
        )
        seed = _ask("seed", 0, 10**6, 0)
    if code.has_density:
        _explain_weight(likelihood, beta, sigma2)
    else:
        st.caption(text("train.effective_none"))
    return Config(
        dataset=dataset,
        model=dataclasses.replace(base.model, likelihood=likelihood, sigma2=sigma2),
        objective=ObjectiveConfig(
            beta=beta, schedule=schedule, free_bits=free_bits if shared else 0.0
        ),
        optimiser=dataclasses.replace(
            base.optimiser, batch_size=batch_size, learning_rate=learning_rate
        ),
        budget=BudgetConfig(seconds=float(seconds)),
        seed=seed,
    )


def _choose_model(kind: str, dataset: str, shape: Shape, latent_dim: int, seconds: float) -> Config:
    """Ask for what this kind of model needs and return the recipe for it."""
    code = LATENTS[KINDS[kind]]
    if not code.is_continuous:
        entries = _ask("codebook_size", 2, 512, 64)
        base = categorical_config(dataset, shape, seconds, entries)
        rows, columns = code_grid(shape, base.model.hidden)
        st.caption(text("train.grid", rows=rows, columns=columns))
        return base
    network = choose_network(shape)
    network = _pick(
        "network",
        NETWORK_NAMES,
        NETWORK_NAMES.index(network),
        suffix="" if network == choose_network(None) else "_large",
    )
    base = default_config(dataset, latent_dim, seconds, network, shape)
    settings: dict[str, Any] = {"latent": KINDS[kind]}
    if kind == "noise":
        settings["noise"] = _ask("noise", 0.01, 10.0, 0.3, 0.1)
    if code.has_density:
        settings["prior"] = _pick("prior", PRIORS)
        if PRIORS[settings["prior"]].has_components:
            st.caption(text(f"train.prior.{settings['prior']}.help"))
            settings["prior_components"] = _ask("prior_components", 1, 100, 10)
    return dataclasses.replace(base, model=dataclasses.replace(base.model, **settings))


def _pick(
    name: str,
    options: Iterable[str],
    index: int = 0,
    disabled: bool = False,
    suffix: str = "",
) -> str:
    names = list(options)
    return bound_select(
        f"train_{name}{suffix}",
        name,
        names,
        text(f"train.{name}"),
        lambda option: text(f"train.{name}.{option}"),
        names[index],
        persist_state=KEEP,
        disabled=disabled,
    )


def _ask(
    name: str, low: N, high: N, start: N, step: N | None = None, key: str = "", **settings: Any
) -> N:
    return bound_number(
        key or f"train_{name}",
        name,
        text(f"train.{name}"),
        low,
        high,
        start,
        step,
        persist_state=KEEP,
        **settings,
    )


def _explain_weight(likelihood: str, beta: float, sigma2: float) -> None:
    scale = LIKELIHOODS[likelihood].scale
    if LIKELIHOODS[likelihood].linear_theory:
        st.caption(text("train.effective", value=beta * sigma2))
    elif scale == "fixed":
        st.caption(text("train.effective_fixed", value=sigma2))
    elif scale == "learned":
        st.caption(text("train.effective_learned", value=sigma2))
    else:
        st.caption(text("train.effective_nats"))


def summarise(config: Config) -> str:
    """Return the settings in one line: what is trained, on what, at which β, for how long."""
    model, latent = config.model, LATENTS[config.model.latent]
    told = [
        plain(config.dataset),
        text("train.said.latents", count=model.latent_dim),
        text(f"train.likelihood.{model.likelihood}"),
    ]
    if latent.has_density:
        told.append(f"β {config.objective.beta:g}")
    told.append(text("train.said.seconds", count=config.budget.seconds or 0.0))
    return " · ".join(told)


def start(config: Config) -> None:
    """Queue the training and watch it."""
    taken = {run.name for run in library().runs()}
    try:
        run = library().start(config, free_name(name_training(config), taken))
    except ExplorerError as error:
        st.error(explain(error))
        return
    get_session().watched = run.id
    st.query_params["run"] = run.id


def offer_downloads() -> None:
    """List the data sets that are not here, each with a button that fetches it."""
    missing = library().absent_sets()
    if not missing:
        return
    with st.popover(text("train.get_data")):
        for name in missing:
            st.caption(
                text("train.get_data_help", name=name, description=text(f"app.dataset.{name}"))
            )
            if st.button(text("train.download", name=name), key=f"train_download_{name}"):
                bar = st.progress(0.0, text("train.downloading", name=name))
                try:
                    library().download(name, partial(_show, bar))
                    get_session().notice = text("train.downloaded", name=name)
                    st.rerun()
                except ExplorerError as error:
                    st.error(explain(error))


def _show(bar: "st.delta_generator.DeltaGenerator", *state: object) -> None:
    numbers = [value for value in state if isinstance(value, int | float)]
    if len(numbers) == 2 and numbers[1]:
        bar.progress(min(1.0, numbers[0] / numbers[1]))


def show_page() -> None:
    """Lay out the page."""
    show_lede("train.lede")
    session = get_session()
    read_as("run", "model")
    asked = st.query_params.get("run")
    if asked:
        session.watched = asked
    with st.container(horizontal=True, vertical_alignment="center", key="train_bar"):
        button, config = st.empty(), None
        with st.popover(text("train.settings"), icon=":material/tune:", key="train_settings"):
            try:
                config = choose_config()
            except ExplorerError as error:
                st.error(explain(error))
        if config is not None:
            st.markdown(summarise(config), width="content")
        offer_own_images("train_dataset", "train_own")
        offer_downloads()
    with button:
        if st.button(
            text("train.start"),
            key="train_start",
            type="primary",
            disabled=config is None,
            help=text("train.start_help"),
        ):
            assert config is not None
            start(config)
    if config is None:
        st.error(text("train.settings_wrong"))
    if session.notice:
        st.success(session.notice)
        session.notice = None
    watch_run(session.watched)
    warm_worker()


show_page()
