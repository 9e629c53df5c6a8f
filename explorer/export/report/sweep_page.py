"""The report on a sweep: where its latents fall asleep or how many are enough, on one page."""

import html
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from explorer.analysis.checks import plain
from explorer.analysis.consultation.sweep import SweepAnswer, consult_sweep, list_comparable
from explorer.analysis.questions.floor import find_floor
from explorer.analysis.questions.how_many import LatentCount, count_in_runs
from explorer.analysis.questions.linear_oracle import LinearOracle, find_oracle
from explorer.datasets import ImageDataset
from explorer.export.report.shell import fill_page, make_head, make_section
from explorer.export.report.sweep_drawings import draw_count, draw_members
from explorer.export.report.words import say_count, say_oracle, say_sweep
from explorer.runs.run import versions
from explorer.runs.sweeps import Sweep
from explorer.text import number, paragraph, say


@dataclass(frozen=True)
class SweepReport:
    """What stands in a report on a sweep; count and theory where it goes over K."""

    name: str
    found: SweepAnswer
    count: LatentCount | None = None
    theory: LinearOracle | None = None
    has_floor: bool = False
    versions: Mapping[str, str] = field(default_factory=versions)
    made: float = field(default_factory=time.time)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: the report as JSON."""
        return plain(
            {
                "name": self.name,
                "sweep": self.found.to_dict(),
                "count": None if self.count is None else self.count.to_dict(),
                "theory": None if self.theory is None else self.theory.to_dict(),
                "made": self.made,
                "versions": dict(self.versions),
            }
        )


def gather_sweep(sweep: Sweep, images: ImageDataset | None) -> SweepReport:
    """Return the report on a sweep; `images` are those it was made from, None without them."""
    found = consult_sweep(sweep)
    if found.axis != "latent_dim":
        return SweepReport(sweep.id, found)
    runs = list_comparable(sweep)
    floor = None if images is None else find_floor(runs[0], images)
    theory = None if images is None else find_oracle(runs, images)
    count = count_in_runs(runs, floor=floor)
    return SweepReport(sweep.id, found, count, theory, floor is not None)


def say_answer(report: SweepReport, language: str) -> str:
    """Return the answer on a sweep in one sentence."""
    if report.count is not None:
        return say_count(report.count, language)
    return say_sweep(report.found, language)


def build_sweep_report(report: SweepReport, language: str = "en") -> bytes:
    """Return the report as the bytes of one HTML page in a language of the catalogue."""
    title = say(language, "report.title", name=report.name)
    body = "\n".join(
        [_head(report, title, language), _members(report, language), _count(report, language)]
    )
    return fill_page(title, body, language)


def _head(report: SweepReport, title: str, language: str) -> str:
    facts = say(language, "report.facts.sweep", count=len(report.found.members))
    answer = say_answer(report, language)
    return make_head(title, answer, facts, report.made, report.versions, language)


def _members(report: SweepReport, language: str) -> str:
    found = report.found
    axis = say(language, f"why.sweep.axis.{found.axis}")
    head = (axis, say(language, "questions.active"), say(language, "runs.column.kl"))
    rows = [
        (f"{member.value:g}", str(member.awake), number(sum(member.kl), ".2f"))
        for member in found.members
    ]
    words = [say(language, "report.sweep.columns")]
    if found.falls:
        words.append(say(language, "why.sweep.bracket"))
    title = say(language, "collapse.timeline")
    drawn = draw_members(found, axis, title)
    return make_section(title, f"<figure>{drawn}</figure>{_table(head, rows)}", *words)


def _count(report: SweepReport, language: str) -> str:
    count, theory = report.count, report.theory
    if count is None:
        return ""
    over = "mean_image" if report.has_floor else "first_point"
    told = [say(language, f"questions.latents.evidence.{over}", kept=count.kept)]
    if theory is not None:
        line = say(language, "questions.oracle.line")
        told.append(paragraph(language, say_oracle(theory, count.members, language), line))
    head = [
        say(language, key)
        for key in (
            "questions.latents.number",
            "runs.column.elbo",
            "questions.active",
            "questions.gain",
        )
    ]
    rows = [
        (str(row.latents), number(-row.elbo, ".2f"), str(row.active), f"{gain:.0%}")
        for row, gain in zip(count.members, count.gains, strict=True)
    ]
    title = say(language, "questions.latents")
    drawn = draw_count(count, theory, language, floor=report.has_floor)
    return make_section(title, f"<figure>{drawn}</figure>{_table(head, rows)}", *told)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    names = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    table = f"<table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="scroll">{table}</div>'
