"""What runs side by side answer together: another map, and how many latents are enough."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from explorer.analysis.questions.how_many import count_in_runs
from explorer.app.cached.desk import foretell_stored, match_stored
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.tables import show_rows
from explorer.app.text import language, number, paragraph, plain, sentences, text
from explorer.codes import latent_name
from explorer.export.report.words import say_count, say_oracle
from explorer.figures.latent_count import elbo_over_latents
from explorer.library import find_lack
from explorer.runs.apart import find_differences, list_settings
from explorer.runs.run import Run

if TYPE_CHECKING:
    from explorer.analysis.questions.another_map import MapMatch
    from explorer.analysis.questions.how_many import LatentCount
    from explorer.analysis.questions.linear_oracle import LinearOracle

Named = Sequence[tuple[str, Run]]


def are_maps(runs: Sequence[Run]) -> bool:
    """Return whether these are two continuous runs whose codes are of the same images."""
    if len(runs) != 2 or not all(run.info.is_continuous for run in runs):
        return False
    if any(find_lack(run, ("codes",)) for run in runs):
        return False
    one, other = (run.info.dataset for run in runs)
    if one is None or other is None:
        return False
    return (one.pixels or one.name) == (other.pixels or other.name)


def are_sweep(runs: Sequence[Run]) -> bool:
    """Return whether the runs differ in the number of their latents, and else in seeds alone."""
    if any(run.info.config is None for run in runs):
        return False
    differing = find_differences([list_settings(run.info) for run in runs])
    return "model.latent_dim" in differing and {*differing} <= {"model.latent_dim", "seed"}


def show_match(named: Named) -> None:
    """Say what of the first run's map the second has, and the other way round if that differs."""
    (first, run), (second, other) = named
    found = match_stored(str(run.path), run.fingerprint, str(other.path), other.fingerprint)
    back = match_stored(str(other.path), other.fingerprint, str(run.path), run.fingerprint)
    st.markdown(say_match(found, first, second))
    if back.verdict != found.verdict:
        told = say_match(back, second, first)
        st.markdown(text("questions.map.back", told=told))
    shares = {"images": found.images, "explained": found.explained}
    evidence = text("questions.map.evidence", first=plain(first), second=plain(second), **shares)
    st.caption(paragraph(evidence, text("questions.map.states")))
    with st.expander(text("questions.map.table", first=plain(first), second=plain(second))):
        title = text("questions.map.table", first=first, second=second)
        specs = {text("questions.explained"): ".0%"}
        show_rows("match", title, _list_dimensions(found), specs)


def say_match(found: "MapMatch", first: str, second: str) -> str:
    """Return the verdict on two maps in one sentence."""
    counts = {state: found.count(state) for state in ("same", "rotated", "lost")}
    used = sum(counts.values())
    names = {"first": plain(first), "second": plain(second)}
    share = found.explained
    return text(f"questions.map.{found.verdict}", used=used, explained=share, **counts, **names)


def _list_dimensions(found: "MapMatch") -> list[dict[str, object]]:
    return [
        {
            text("questions.dimension"): latent_name(one.index),
            text("questions.state"): text(f"questions.state.{one.state}"),
            text("questions.partner"): "" if one.partner is None else latent_name(one.partner),
            text("questions.correlation"): (
                ""
                if one.partner is None
                else f"{number(one.correlation, '.2f')} ± {number(one.error, '.2f')}"
            ),
            text("questions.explained"): one.explained,
        }
        for one in found.dimensions
    ]


def show_count(named: Named) -> None:
    """Say how many latents are enough, with the runs' figures by their number."""
    found, floor, oracle = count_stored([run for _, run in named])
    st.markdown(say_count(found, language()))
    show_sweep_figure(found, floor, oracle)
    gain = text("questions.gain")
    show_rows(
        "latents",
        text("questions.latents"),
        [
            {
                text("questions.latents.number"): member.latents,
                text("runs.column.elbo"): -member.elbo,
                text("runs.column.kl"): member.kl,
                text("questions.active"): member.active,
                gain: share,
            }
            for member, share in zip(found.members, found.gains, strict=True)
        ],
        {text("runs.column.elbo"): ".2f", text("runs.column.kl"): ".2f", gain: ".0%"},
    )


def count_stored(
    runs: Sequence[Run],
) -> "tuple[LatentCount, float | None, LinearOracle | None]":
    """Return how many latents are enough, the ELBO without any and the linear theory."""
    floor, oracle = foretell_stored(
        tuple(str(run.path) for run in runs), tuple(run.fingerprint for run in runs)
    )
    return count_in_runs(runs, floor=floor), floor, oracle


def show_sweep_figure(
    found: "LatentCount", floor: float | None, oracle: "LinearOracle | None"
) -> None:
    """Show the ELBO over K beside the linear theory, and say what counts as enough."""
    figure = elbo_over_latents(
        [member.latents for member in found.members],
        [member.elbo for member in found.members],
        role_colours(),
        enough=found.enough if found.verdict == "enough" else None,
        floor=floor,
        theory=None if oracle is None else (oracle.latents, oracle.elbo),
        words=sentences("questions.figure."),
    )
    show_chart(figure, "questions_latents")
    over = "first_point" if floor is None else "mean_image"
    told = [text(f"questions.latents.evidence.{over}", kept=found.kept)]
    if oracle is not None:
        told += [say_oracle(oracle, found.members, language()), text("questions.oracle.line")]
    st.caption(paragraph(*told))
