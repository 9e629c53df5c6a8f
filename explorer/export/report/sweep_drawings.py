"""A sweep's figures as SVG: KL of each latent over its members, and the ELBO over K."""

import math

from explorer.analysis.consultation.sweep import SweepAnswer
from explorer.analysis.questions.how_many import LatentCount
from explorer.analysis.questions.linear_oracle import LinearOracle
from explorer.export.report.drawings import (
    LEFT,
    LINE,
    MOST_ROWS,
    RIGHT,
    WIDTH,
    draw_bracket,
    draw_label,
    frame_svg,
)
from explorer.text import number, say

TALL = 190
ROOM = 66
"""Left of the ELBO's axis."""


def draw_members(found: SweepAnswer, axis: str, title: str) -> str:
    """Return KL over rank and member as SVG, with brackets where latents fall asleep."""
    latents = min(found.latents, MOST_ROWS)
    wide = (WIDTH - LEFT - RIGHT) / len(found.members)
    top = max(1e-9, *(kl for member in found.members for kl in member.kl))
    parts = [draw_label(LEFT - 6, LINE * row + 11, f"#{row + 1}", "end") for row in range(latents)]
    for place, member in enumerate(found.members):
        for row, kl in enumerate(member.kl[:latents]):
            share = math.sqrt(kl / top)
            if share > 0.02:
                parts.append(
                    f'<rect class="kl" x="{LEFT + place * wide:.1f}" y="{LINE * row + 1}" '
                    f'width="{wide - 1:.1f}" height="{LINE - 2}" opacity="{share:.2f}"/>'
                )
        middle = LEFT + (place + 0.5) * wide
        parts.append(draw_label(middle, LINE * latents + 14, f"{member.value:g}", "middle"))
    values = [member.value for member in found.members]
    for fall in found.falls:
        if fall.rank < latents:
            start, end = (
                LEFT + (values.index(value) + 0.5) * wide for value in (fall.after, fall.at)
            )
            parts.append(draw_bracket(start, end, LINE * fall.rank + 8))
    parts.append(draw_label(WIDTH - RIGHT, LINE * latents + 29, axis, "end"))
    return frame_svg(parts, LINE * latents + 34, title)


def draw_count(
    found: LatentCount, theory: LinearOracle | None, language: str, *, floor: bool
) -> str:
    """Return the ELBO over K as SVG: members, the linear theory, and the floor without latents."""
    trained = [(row.latents, row.elbo) for row in found.members]
    known = [] if theory is None else list(zip(theory.latents, theory.elbo, strict=True))
    values = [elbo for _, elbo in (*trained, *known)] + ([found.floor] if floor else [])
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    largest = trained[-1][0]

    def place(latents: float, elbo: float) -> tuple[float, float]:
        across = (WIDTH - ROOM - RIGHT - 12) * latents / largest
        return ROOM + 6 + across, 26 + (TALL - 20) * (high - elbo) / span

    parts = [
        f'<path class="axis" fill="none" d="M{ROOM} 10V{TALL + 12}H{WIDTH - RIGHT}"/>',
        *(draw_label(ROOM - 6, place(0, v)[1] + 4, number(v, ".1f"), "end") for v in (low, high)),
    ]
    for role, name, points, off in (
        ("z", "members", trained, -9),
        ("caption", "theory", known, 16),
    ):
        if not points:
            continue
        spots = [place(*point) for point in points]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
        parts.append(f'<path fill="none" stroke="var(--{role})" stroke-width="1.5" d="{path}"/>')
        words = say(language, f"questions.figure.{name}")
        parts.append(draw_label(spots[-1][0], spots[-1][1] + off, words, "end"))
    for latents, elbo in trained:
        x, y = place(latents, elbo)
        parts.append(f'<circle class="z" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        parts.append(draw_label(x, TALL + 26, str(latents), "middle"))
    if floor:
        y = place(0, found.floor)[1]
        path = f'<line class="axis dotted" x1="{ROOM}" x2="{WIDTH - RIGHT}" y1="{y:.1f}"'
        parts.append(f'{path} y2="{y:.1f}"/>')
        words = say(language, "questions.figure.floor")
        parts.append(draw_label(WIDTH - RIGHT, y - 5, words, "end"))
    parts.append(
        draw_label(WIDTH - RIGHT, TALL + 41, say(language, "questions.figure.latents"), "end")
    )
    parts.append(draw_label(0, 12, say(language, "questions.figure.elbo"), "start"))
    return frame_svg(parts, TALL + 46, say(language, "questions.latents"))
