"""Whether codes follow the prior: what is off, what they are for, and only then what to do."""

from collections.abc import Sequence

import streamlit as st

from explorer.analysis.collapse.prior_match import USES, PriorMatch
from explorer.analysis.collapse.verdicts import FEWEST_IMAGES
from explorer.app.parts.tables import show_rows
from explorer.app.text import paragraph, text
from explorer.codes import latent_name

FIGURES = ("mean", "mean_error", "total_variance", "total_variance_error", "moments_kl")
MOST_ROWS = 50


def show_prior(found: PriorMatch, key: str, dimensions: Sequence[int] | None = None) -> None:
    """Show the finding; `dimensions` are the dimensions' places in a file that lacks some."""
    if found.state != "off":
        st.caption(text(f"prior.{found.state}", fewest=FEWEST_IMAGES))
        return
    st.markdown(text("prior.off"))
    told = describe_joint(found)
    if found.off:
        places = range(len(found.dimensions)) if dimensions is None else dimensions
        _show_off(found, key, places)
        told = paragraph(told, text("prior.caption"))
    st.caption(told)
    use = st.segmented_control(
        text("prior.use"),
        list(USES),
        key=f"collapse_use_{key}",
        format_func=lambda name: text(f"prior.use.{name}"),
    )
    if use is not None:
        st.info(describe_remedy(found, use))


def describe_joint(found: PriorMatch) -> str:
    """Say what is known of all dimensions together; nothing of means alone."""
    if found.marginal_kl is None:
        return ""
    # Of too few items the estimator sees correlation where there is none.
    key = "prior.joint.most" if found.saturated else "prior.joint"
    return text(key, kl=found.marginal_kl, correlation=found.total_correlation)


def describe_remedy(found: PriorMatch, use: str) -> str:
    """Say what to do for a use."""
    if use == "diffusion" and found.scale is None:
        return text("prior.remedy.diffusion_means")
    return text(f"prior.remedy.{use}", shift=found.shift, scale=found.scale)


def _show_off(found: PriorMatch, key: str, dimensions: Sequence[int]) -> None:
    names = {name: text(f"prior.column.{name}") for name in FIGURES}
    rows = [
        {text("prior.column.dimension"): latent_name(dimensions[one.index])}
        | {names[name]: getattr(one, name) for name in FIGURES}
        for one in found.off[:MOST_ROWS]
    ]
    if all(one.total_variance is None for one in found.off):
        unknown = [names[name] for name in FIGURES[2:]]
        rows = [{key: row[key] for key in row if key not in unknown} for row in rows]
    specs = dict.fromkeys(names.values(), ".3f")
    show_rows(f"prior_{key}", text("prior.title"), rows, specs)
