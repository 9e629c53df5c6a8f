"""What a run is called, the same on every page: its name, and its id where that differs."""

from collections.abc import Collection
from itertools import count

from explorer.analysis.collapse.moved_beta import describe_beta
from explorer.app.text import plain, text
from explorer.config import Config
from explorer.errors import ExplorerError
from explorer.facts import LATENTS, LIKELIHOODS
from explorer.runs.info import RunInfo
from explorer.runs.run import Run


def name_training(config: Config) -> str:
    """Return what a run is called at first, in no language: its page may be read in another.

    β is no part of the name: it may be moved while the run trains.

    >>> name_training(Config(dataset="digits"))
    'digits · 2D'
    """
    model = config.model
    is_continuous = LATENTS[model.latent].is_continuous
    size = f"{model.latent_dim}D" if is_continuous else f"VQ-VAE {model.codebook}"
    return f"{config.dataset} · {size}"


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, numbered where another run has it already.

    >>> free_name("digits", {"digits", "digits (2)"})
    'digits (3)'
    """
    numbered = (f"{name} ({number})" if number > 1 else name for number in count(1))
    return next(candidate for candidate in numbered if candidate not in taken)


def name_run(run: Run) -> str:
    """Return a run's name, with its β where that was moved: "digits · β 1 → 24"."""
    try:
        return name_with_beta(run.name, describe_beta(run))
    except ExplorerError:
        return run.name


def name_with_beta(name: str, beta: str | None) -> str:
    """Return a name with β, as `describe_beta` tells it, where that was moved."""
    return f"{name} · β {beta}" if beta and "→" in beta else name


def label_run(run: Run) -> str:
    """Return what a list shows: the name, and the id behind it where they differ."""
    return name_run(run) if run.name == run.id else f"{name_run(run)} · {run.id}"


def name_likelihood(info: RunInfo) -> str:
    """Return what a run's likelihood is called, "" where it says none."""
    stated = info.model.likelihood
    if stated is None:
        return ""
    return text(f"train.likelihood.{stated.name}") if stated.name in LIKELIHOODS else stated.name


def title_run(run: Run, *, is_steered: bool = False) -> str:
    """Return a heading as Markdown: the name in bold, and the id in small where they differ.

    Among a training's controls (`is_steered`) β has its slider, and there is no room for the id.
    """
    if is_steered:
        return f"**{plain(run.name)}**"
    title = f"**{plain(name_run(run))}**"
    return title if run.name == run.id else f"{title} :small[:gray[{plain(run.id)}]]"
