"""KL of each latent over a training or a sweep, with a playhead that follows the hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.analysis.consultation.fates import Fate
from explorer.app.parts.address import is_led_over
from explorer.app.parts.kept import Kept
from explorer.app.parts.mount import do_nothing, enclose, inline_component
from explorer.app.text import sentences, text
from explorer.codes import latent_name

_MARKUP = '<div class="timeline"></div>'
LED: Kept[int] = Kept("timeline_led", 0)
TOLD = 12
"""Events that a screen reader is told one by one."""


def show_timeline(
    values: Mapping[str, Any],
    told: str,
    key: str,
    *,
    start: float | None = None,
    is_bound: bool = False,
    moment: str | None = None,
    label: str = "collapse.film",
    film: Mapping[str, Any] | None = None,
) -> float | None:
    """Show a timeline of `explorer.export.timeline`; return where its playhead was let go.

    That is the step or member (`at`), None at the end. `start` is where it opens, and where Back
    moves it to where the address has it (`is_bound`). `told` says the picture in words; `moment` is
    the sentence below it, which follows the hand in the browser; without it that of a training.
    `film` are the codes that follow it too (`explorer.app.parts.moments`).
    """
    moments = sentences("why.moment.")
    words = {
        "label": text(label),
        "told": told,
        "moment": moment or moments["plain"],
        "moment_beta": moment or moments["beta"],
    }
    led = is_bound and is_led_over(key, LED)
    state = inline_component("timeline", "timeline", _MARKUP)(
        key=key,
        data=enclose(
            {
                **values,
                "subject": key,
                "start": start,
                "led": LED.get() if is_bound else 0,
                "film": film,
                "words": words,
            }
        ),
        default={"rest": start, "lacks": None},
        on_rest_change=do_nothing,
        on_lacks_change=do_nothing,
    )
    rest: float | None = start if led else state.rest
    return rest


def tell_events(events: Sequence[Fate]) -> str:
    """Return when latents fell asleep or woke, in words."""
    shown = [
        text(
            f"why.event.{event.kind}{'_between' if event.is_coarse else ''}",
            dimension=latent_name(event.dimension),
            step=event.step,
            after=event.after,
        )
        for event in events[:TOLD]
    ]
    more = text("why.event.more", count=len(events) - TOLD) if len(events) > TOLD else ""
    return " ".join(filter(None, [text("collapse.timeline"), *shown, more]))
