"""The Collapse page's verdicts: the state in words, the plane, the table and the causes."""

from typing import Any

import streamlit as st

from explorer.analysis.collapse.verdicts import FEWEST_IMAGES
from explorer.app.parts.charts import role_colours, show_chart
from explorer.app.parts.tables import show_rows
from explorer.app.text import number, paragraph, sentences, text
from explorer.codes import latent_name
from explorer.config import Config
from explorer.figures.collapse import variance_plane

MEASURES = ("kl", "kl_error", "var_mean", "mean_var", "information", "shuffle")
SLEEPING = ("collapsed", "empty", "ignored")


def show_plane(values: dict[str, Any], key: str) -> None:
    """Show the plane of Var μ and mean σ² of a diagnosis."""
    rows = values["dimensions"]
    figure = variance_plane(
        [latent_name(row["index"]) for row in rows],
        [row["var_mean"] for row in rows],
        [row["mean_var"] for row in rows],
        [row["verdict"] for row in rows],
        sentences("collapse.verdict.short."),
        role_colours(),
        words=sentences("figure."),
    )
    show_chart(figure, f"collapse_plane_{key}", text("collapse.plane.caption"))


def show_table(values: dict[str, Any], key: str) -> None:
    """Show the verdict of each dimension with its measures, most KL first."""
    rows = [_describe(row) for row in sorted(values["dimensions"], key=lambda row: -row["kl"])]
    # Codes alone have no shuffle test and no causes: their columns would be empty.
    known = [name for name in rows[0] if any(row[name] not in (None, "") for row in rows)]
    specs = {text(f"collapse.column.{name}"): ".3f" for name in MEASURES}
    show_rows(
        f"verdicts_{key}",
        text("collapse.table"),
        [{name: row[name] for name in known} for row in rows],
        specs | {text("collapse.column.confidence"): ".0%"},
    )
    has_shuffle = text("collapse.column.shuffle") in known
    shuffle = text("collapse.table.shuffle") if has_shuffle else ""
    st.caption(paragraph(text("collapse.table.caption"), shuffle))


def show_diagnosis(values: dict[str, Any], config: Config | None) -> None:
    """Show the state in words and four figures."""
    count = len(values["dimensions"])
    st.subheader(describe_state(values))
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
        ("information", describe_information(values)),
    )
    for column, (name, shown) in zip(columns, figures, strict=True):
        column.metric(text(f"collapse.figure.{name}"), shown, help=help_text)
    if values["mutual_information_saturated"]:
        ceiling, images = values["mutual_information_ceiling"], values["images"]
        st.caption(text("collapse.figure.saturated", count=images, ceiling=ceiling))
    if config is not None and (config.objective.free_bits or config.objective.free_bits_total):
        st.warning(text("collapse.floor"))


def show_means(values: dict[str, Any]) -> None:
    """Show what means alone can tell."""
    moving, count = values["active_units"], values["latent_dim"]
    st.subheader(text("collapse.own.means", moving=moving, count=count))
    st.caption(text("collapse.own.means.caption", directions=values["covariance_dimensions"]))


def describe_state(values: dict[str, Any]) -> str:
    """Say how many dimensions are asleep; one that is uncertain is not counted among them."""
    verdicts = [row["verdict"] for row in values["dimensions"]]
    count, uncertain = len(verdicts), verdicts.count("uncertain")
    if values["images"] < FEWEST_IMAGES:
        return text("collapse.state.too_few", images=values["images"], fewest=FEWEST_IMAGES)
    asleep = sum(verdict in SLEEPING for verdict in verdicts)
    # Where some are uncertain and none is in use the state is too; those asleep are counted still.
    state = "collapsed" if values["state"] == "collapsed" else "partial"
    told = [text(f"collapse.state.{state}", count=count, asleep=asleep)] if asleep else []
    if uncertain:
        told.append(text("collapse.state.uncertain", count=count, uncertain=uncertain))
    return paragraph(*told) or text("collapse.state.healthy", count=count)


def describe_information(values: dict[str, Any]) -> str:
    """Return I(x; z); at its ceiling it is a lower bound, whose tiny spread would mislead."""
    if values["mutual_information_saturated"]:
        return f"≥ {number(values['mutual_information'])}"
    return _with_error(values, "mutual_information")


def _with_error(values: dict[str, Any], name: str) -> str:
    return f"{number(values[name])} ± {number(values[name + '_error'])}"


def _describe(row: dict[str, Any]) -> dict[str, Any]:
    cause = row["cause"]
    values = {
        "dimension": latent_name(row["index"]),
        "verdict": text(f"collapse.verdict.{row['verdict']}"),
        "confidence": row["confidence"],
        "kl": row["kl"],
        "kl_error": row["kl_error"],
        "var_mean": row["var_mean"],
        "mean_var": row["mean_var"],
        "information": row["mutual_information"],
        "shuffle": row["shuffle"],
        "cause": text(f"collapse.cause.short.{cause}") if cause else "",
    }
    # What rounds to zero has no sign.
    shown = {n: round(v, 3) + 0.0 if isinstance(v, float) else v for n, v in values.items()}
    return {text(f"collapse.column.{name}"): value for name, value in shown.items()}


def show_causes(values: dict[str, Any]) -> None:
    """Say why dimensions are asleep, with the evidence."""
    if not values["causes"]:
        asleep = any(row["verdict"] in SLEEPING for row in values["dimensions"])
        st.markdown(text("collapse.why.unknown" if asleep else "collapse.why.none"))
    for cause in values["causes"]:
        evidence = cause["evidence"]
        named = text("app.comma").join(latent_name(index) for index in cause["dimensions"])
        told = text(
            f"collapse.cause.{cause['code']}",
            dimensions=named,
            top=evidence.get("top_eigenvalue_now", 0.0),
            beta=evidence.get("beta") or 0.0,
        )
        st.markdown(
            paragraph(
                told, *_describe_rule(cause), text("collapse.confidence", value=cause["confidence"])
            )
        )


def _describe_rule(cause: dict[str, Any]) -> list[str]:
    """Return what the wake-up rule says at the collapsed point, of a cause that rests on it."""
    if cause["code"] != "objective":
        return []
    awake = cause["evidence"].get("awake_at_collapse")
    if awake is None:
        return [text("collapse.rule.none"), text("collapse.rule.local")]
    return [text("collapse.rule.awake", awake=awake), text("collapse.rule.local")]
