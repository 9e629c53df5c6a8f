"""The report as one HTML file: no script, no server, no network; light, dark and printed.

What others wrote (names of runs, files and images) is escaped; figures are SVG and PNG in the file.
"""

import html
from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.analysis.consultation.stand_in import STAND_IN
from explorer.codes import latent_name
from explorer.export.report.drawings import draw_plane, draw_thresholds, draw_timeline
from explorer.export.report.followed import describe_followed, draw_followed
from explorer.export.report.gather import Report
from explorer.export.report.shell import fill_page, make_head, make_section
from explorer.export.report.words import (
    say_changes,
    say_convergence,
    say_elsewhere,
    say_expected,
    say_headline,
    say_pictures,
    say_remedy,
    say_sampling,
    say_told,
)
from explorer.figures.pictures import data_uri, encode_png, picture_sheet
from explorer.text import number, say, sentences

MAX_REPORT_BYTES = 3_000_000
SHEET_PIXELS = 640
"""Least width of the strip of pictures."""
FIGURES = (
    ("active", "active_units", None),
    ("effective", "effective_dimensions", "effective_dimensions_error"),
    ("rate", "rate", "rate_error"),
    ("information", "mutual_information", "mutual_information_error"),
)
COLUMNS = (
    ("kl", "kl"),
    ("kl_error", "kl_error"),
    ("var_mean", "var_mean"),
    ("mean_var", "mean_var"),
    ("information", "mutual_information"),
    ("shuffle", "shuffle"),
)
MOST_ROWS = 600
SOURCES = {
    "verdicts": "Burda et al. 2015, arXiv:1509.00519; Lucas et al. 2019, arXiv:1911.02469; "
    "Bonheme and Grzes 2021, arXiv:2105.06229",
    "rule": "Lucas et al. 2019, arXiv:1911.02469",
    "lagging": "He et al. 2019, arXiv:1901.05534",
    "rate": "Hoffman and Johnson 2016, ELBO surgery; Chen et al. 2018, arXiv:1802.04942",
    "remedy": "Kingma et al. 2016, arXiv:1606.04934; Bowman et al. 2016, arXiv:1511.06349; "
    "Razavi et al. 2019, arXiv:1901.03416; Rybkin et al. 2021, arXiv:2006.13202",
    "holes": "Kynkäänniemi et al. 2019, arXiv:1904.06991; Ghosh et al. 2020, arXiv:1903.12436",
}


def build_report(report: Report, language: str = "en") -> bytes:
    """Return the report as the bytes of one HTML page in a language of the catalogue."""
    found = report.found
    title = say(language, "report.title", name=found.name)
    body = "\n".join([
        _head(report, language, title), _why(report, language), _when(report, language),
        _remedy(report, language), _asked(report, language), _pictures(report, language),
        _figures(found.diagnosis, language), _dimensions(found.diagnosis, language),
        _columns(found.diagnosis, language), _told(report, language), _foot(report, language),
    ])  # fmt: skip
    return fill_page(title, body, language)


def _head(report: Report, language: str, title: str) -> str:
    answer, facts = say_headline(report.found, language), _facts(report, language)
    return make_head(title, answer, facts, report.made, report.versions, language)


def _facts(report: Report, language: str) -> str:
    found = report.found
    if report.run is None:
        values = {"items": found.diagnosis["images"], "latents": found.latents}
        return say(language, "report.facts.codes", **values)
    info = report.run.info
    beta = say(language, "report.beta.unknown")
    if found.beta is not None:
        moved = f"{found.beta.planned:g} → {found.beta.now:g}"
        beta = moved if found.beta.is_moved else f"{found.beta.now:.4g}"
    stated = info.model.likelihood
    facts = say(
        language,
        "report.facts.run",
        dataset="–" if info.dataset is None else info.dataset.name,
        latents=found.latents,
        likelihood="–" if stated is None else _name_likelihood(stated.name, language),
        beta=beta,
    )
    steps = info.status.step  # None that we know of, where others trained it.
    return f"{facts} · {say(language, 'report.facts.steps', steps=steps)}" if steps else facts


def _name_likelihood(name: str, language: str) -> str:
    return sentences(language, "train.likelihood.").get(name, name)


def _why(report: Report, language: str) -> str:
    found = report.found
    if not found.asleep:
        return ""
    drawn = draw_thresholds(found, language)
    words = []
    if drawn:
        key = "why.bars" if found.thresholds.at_collapse else "why.bars.further"
        words.append(say(language, key))
    elif found.cause is None:
        words.append(say(language, "why.evidence.none"))
    if found.confidence is not None:
        words.append(say(language, "collapse.confidence", value=found.confidence))
    return make_section(say(language, "why.title"), drawn, *words)


def _when(report: Report, language: str) -> str:
    drawn = draw_timeline(report.points, report.found.fates, language)
    if not drawn:
        return ""
    caption = say(language, "collapse.timeline.caption", dead=0.01)
    return make_section(say(language, "report.when"), drawn, caption)


def _remedy(report: Report, language: str) -> str:
    found, plan = report.found, report.found.prescription
    if plan is None or plan.remedy == STAND_IN:
        told = say_elsewhere(found, language)
        return make_section(say(language, "why.remedy"), "", told) if told else ""
    lines = [*say_changes(plan, language), say(language, "why.change.same")]
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    inner = f'<p class="remedy">{html.escape(say_remedy(plan, language))}</p><ul>{items}</ul>'
    return make_section(say(language, "why.remedy"), inner, say_expected(found, plan, language))


def _asked(report: Report, language: str) -> str:
    answers = []
    if report.found.convergence is not None:
        told = say_convergence(report.found.convergence, language)
        answers.append((say(language, "why.converged"), told))
    if report.pictures is not None:
        answers.append((say(language, "why.pictures"), say_pictures(report.pictures, language)))
    if report.sampling is not None:
        answers.append((say(language, "why.sampling"), say_sampling(report.sampling, language)))
    if not answers:
        return ""
    items = "".join(
        f"<dt>{html.escape(question)}</dt><dd>{html.escape(answer)}</dd>"
        for question, answer in answers
    )
    return make_section(say(language, "why.asked"), f"<dl>{items}</dl>")


def _pictures(report: Report, language: str) -> str:
    if report.sheet is None:
        return ""
    images, made = report.sheet
    sheet = picture_sheet(np.concatenate([images, made]), len(images))
    shown = encode_png(sheet, max(1, SHEET_PIXELS // sheet.shape[1]))
    title = say(language, "report.pictures")
    image = f'<img src="{data_uri(shown)}" alt="{html.escape(title, quote=True)}">'
    return make_section(title, image)


def _figures(diagnosis: Mapping[str, Any], language: str) -> str:
    if diagnosis.get("rate") is None:
        return ""
    cells = []
    for name, key, error in FIGURES:
        value = f"{diagnosis[key]:,}" if error is None else number(diagnosis[key])
        if name == "information" and diagnosis["mutual_information_saturated"]:
            value = f"≥ {value}"
        elif error is not None:
            value += f" ± {number(diagnosis[error])}"
        if error is None:
            value += f" / {len(diagnosis['dimensions'])}"
        label = html.escape(say(language, f"collapse.figure.{name}"))
        cells.append(f"<div><dt>{label}</dt><dd>{value}</dd></div>")
    caption = say(
        language,
        "report.figures.caption",
        count=diagnosis["images"],
        ceiling=diagnosis["mutual_information_ceiling"],
    )
    if diagnosis["mutual_information_saturated"]:
        ceiling, count = diagnosis["mutual_information_ceiling"], diagnosis["images"]
        caption += " " + say(language, "collapse.figure.saturated", count=count, ceiling=ceiling)
    body = f'<dl class="figures">{"".join(cells)}</dl>'
    return make_section(say(language, "report.figures"), body, caption)


def _dimensions(diagnosis: Mapping[str, Any], language: str) -> str:
    rows = sorted(diagnosis["dimensions"], key=lambda row: -(row.get("kl") or row["var_mean"]))
    kept = [(name, key) for name, key in COLUMNS if any(row.get(key) is not None for row in rows)]
    names = ["dimension", "verdict", *(name for name, _ in kept)]
    head = "".join(f"<th>{html.escape(say(language, f'collapse.column.{n}'))}</th>" for n in names)
    lines = []
    for row in rows[:MOST_ROWS]:
        verdict = say(language, f"collapse.verdict.{row['verdict']}")
        cells = [latent_name(row.get("dimension", row["index"])), html.escape(verdict)]
        for _, key in kept:
            value = row.get(key)
            cells.append("" if value is None else number(round(value, 3) + 0.0, ".3f"))
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    drawn = draw_plane(diagnosis, language)
    plane = f"<figure>{drawn}</figure>" if drawn else ""
    words = [say(language, "collapse.table.caption")]
    if drawn:
        words.insert(0, say(language, "collapse.plane.caption"))
    if any(name == "shuffle" for name, _ in kept):
        words.append(say(language, "collapse.table.shuffle"))
    scroll = f'<div class="scroll">{table}</div>'
    return make_section(say(language, "collapse.table"), plane + scroll, *words)


def _columns(diagnosis: Mapping[str, Any], language: str) -> str:
    columns = diagnosis.get("columns")
    if not columns:
        return ""
    title, table = say(language, "columns.title"), draw_followed(columns, language)
    return make_section(title, table, *describe_followed(columns, language))


def _told(report: Report, language: str) -> str:
    items = "".join(f"<li>{html.escape(say_told(told, language))}</li>" for told in report.told)
    return make_section(say(language, "report.told"), f"<ul>{items}</ul>") if items else ""


def _foot(report: Report, language: str) -> str:
    asked = ["verdicts", "rate"]
    if report.found.thresholds.values:
        asked.append("rule")
    if report.found.cause == "encoder_lags":
        asked.append("lagging")
    plan = report.found.prescription
    if plan is not None and plan.remedy != STAND_IN:
        asked.append("remedy")
    if report.sampling is not None:
        asked.append("holes")
    items = "".join(
        f"<li>{html.escape(say(language, f'report.source.{name}'))}: "
        f'<span lang="en">{SOURCES[name]}</span></li>'
        for name in asked
    )
    lines = [say(language, "report.versions.judged", versions=_list_versions(report.versions))]
    if report.run is not None:
        info = report.run.info
        trained = _list_versions(info.versions)
        if trained:
            lines.append(say(language, "report.versions.trained", versions=trained))
        if info.dataset is not None and info.dataset.fingerprint:
            mark = info.dataset.fingerprint[:16]
            lines.append(say(language, "report.fingerprint", fingerprint=mark))
    told = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    title = say(language, "report.sources")
    made = say(language, "report.versions")
    return f"<footer><h2>{title}</h2><ul>{items}</ul><h2>{made}</h2>{told}</footer>"


def _list_versions(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())
