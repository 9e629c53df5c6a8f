"""The β lab's one linked picture: what the browser needs to drag through all models and steps."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.app.cached import measure_linear_curve
from explorer.app.cached.film import get_inputs, get_member_frame
from explorer.app.parts.address import is_led_over, refuse, write_address
from explorer.app.parts.kept import Kept
from explorer.app.parts.mount import do_nothing, enclose, inline_component
from explorer.app.text import paragraph, sentences, text
from explorer.app.views.beta.members import Member, point_at
from explorer.codes import latent_name
from explorer.errors import ExplorerError
from explorer.export.film import (
    MOST_POINTS,
    choose_frames,
    encode_log,
    encode_pictures,
    lay_out,
)
from explorer.export.lab import (
    SHOWN_PICTURES,
    Placing,
    choose_reference,
    count_frames,
    place_members,
)
from explorer.facts import LIKELIHOODS
from explorer.figures.beta import choose_range
from explorer.runs.run import Run
from explorer.runs.sweeps import Sweep, find_places

LAB = "beta_lab"
MOST_LOGGED = 60
RECENT = 3
"""So many frames of each model go along with every tick of a training."""
NAMED = ("beta", "latent_dim", "seed")
"""Settings that the command line sweeps over, with words of their own."""
SENT: Kept[str] = Kept("beta_lab_sent", "")
"""Which films, on which axes, the browser has."""
LED: Kept[int] = Kept("beta_lab_led", 0)
"""How often Back or Forward came by: each time the hand goes where the address says."""
PAGES = {"explore": ("views/explore.py", "model"), "train": ("views/train/page.py", "run")}
_MARKUP = '<div class="lab"></div>'


def send_lab_anew() -> None:
    """Have all films sent: the page is drawn anew."""
    SENT.forget()


def show_lab(sweep: Sweep, members: list[Member], *, live: bool) -> int | None:
    """Show the picture; return the step where the hand rests, None for the end."""
    known = {_name(member): member for member in members}
    first = members[choose_reference(*_sizes(members))]
    start, step = _read_address(known, first)
    led = is_led_over(LAB, LED)
    data = _describe(sweep, members, live=live) | {
        "start": {"model": _name(start), "step": step},
        "led": LED.get(),
    }
    with st.container(key="beta_stage"):
        result = inline_component("lab", "lab", _MARKUP)(
            key=LAB, data=enclose(data), on_rest_change=do_nothing, on_open_change=do_nothing
        )
    _follow(result.get("open"))
    differs_in_beta = len({member.beta for member in members}) > 1
    st.caption(_explain(data, first.config.model.likelihood, differs_in_beta=differs_in_beta))
    rest = None if led else result.get("rest")
    if isinstance(rest, Mapping) and rest.get("sweep") == sweep.id and rest.get("model") in known:
        start = known[str(rest["model"])]
        step = rest["step"] if isinstance(rest.get("step"), int) else None
        write_address("model", _name(start), _name(first))
        write_address("step", step, None)
    return step


def _explain(data: Mapping[str, Any], likelihood: str, *, differs_in_beta: bool) -> str:
    """Say what to look for, and how the picture is made."""
    theory = ""
    if data["theory"] is not None:
        theory = text("beta.plane.theory")
    elif not LIKELIHOODS[likelihood].linear_theory:
        theory = text("beta.plane.no_theory")
    matched = data["members"][data["reference"]]["names"]
    return paragraph(
        text("beta.maps.look") if differs_in_beta else "",
        text("beta.maps.caption", reach=data["reach"]),
        text("beta.plane.caption"),
        theory,
        text("lab.matched", model=text("app.comma").join(matched)),
        text("beta.maps.many") if data["is_cut"] else "",
    )


def _read_address(known: Mapping[str, Member], first: Member) -> tuple[Member, int | None]:
    """Return the model and the step that the address asks for."""
    asked, step = st.query_params.get("model"), st.query_params.get("step")
    if asked is not None and asked not in known:
        refuse("model")
    if step is not None and not (step.isascii() and step.isdigit() and len(step) < 10):
        refuse("step")
        step = None
    return known.get(asked or "", first), None if step is None else int(step)


def _follow(wish: Any) -> None:
    """Open the model that was pressed; the browser may send anything."""
    if isinstance(wish, Mapping) and wish.get("page") in PAGES:
        view, name = PAGES[str(wish["page"])]
        st.switch_page(view, query_params={name: str(wish.get("model"))})


def _name(member: Member) -> str:
    return member.run.id.rpartition("/")[2]


def _sizes(members: Sequence[Member]) -> tuple[list[float], list[int]]:
    return [m.beta for m in members], [m.config.model.latent_dim for m in members]


def _describe(sweep: Sweep, members: Sequence[Member], *, live: bool) -> dict[str, Any]:
    """Return what the picture is drawn from; `explorer/browser/lab/main.js` names its parts."""
    last = [member.run.snapshot(member.run.snapshot_steps()[-1]) for member in members]
    reference = choose_reference(*_sizes(members))
    has_shares = members[reference].run.info.has_shares
    main, placings = place_members(last, reference, has_shares)
    most = max(count_frames(frame, len(members)) for frame in last)
    placing = f"{sweep.id} {main} {placings}"
    is_whole = not live or SENT.get() != placing
    SENT.put(placing)
    shown, dataset = last[reference], members[reference].run.info.dataset
    spread = [
        lay_out(frame.mean, each.axes, each.signs)
        for frame, each in zip(last, placings, strict=True)
    ]
    axes, described = _describe_grid(sweep, members)
    for member, each, placed in zip(members, described, placings, strict=True):
        each["frames"] = _send_frames(member.run, placed, most, is_whole=is_whole)
    return {
        "sweep": sweep.id,
        "placing": placing,
        "axes": axes,
        "members": described,
        "reference": reference,
        "is_cut": shown.mean.shape[1] > 2,
        "reach": choose_range(spread),
        "labels": None if shown.labels is None else [int(i) for i in shown.labels[:MOST_POINTS]],
        "classes": list(dataset.class_names) if dataset else [],
        "inputs": encode_pictures(get_inputs(members[reference].run, shown), SHOWN_PICTURES),
        "dimensions": [latent_name(axis) for axis in main],
        "rings": has_shares,
        "theory": _find_theory(members),
        "words": sentences("lab."),
    }


def _describe_grid(
    sweep: Sweep, members: Sequence[Member]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return in what the sweep's models differ, and those at hand with their places there."""
    grid, found = find_places(list(sweep.configs.values()))
    places = dict(zip(sweep.configs, found, strict=True))
    axes = [
        {
            "label": text(f"lab.axis.{name}") if name in NAMED else name,
            "values": [_say(name, value) for value in values],
        }
        for name, values in grid.items()
    ]
    described = []
    for member in members:
        at = places[_name(member)]
        values = {name: grid[name][place] for name, place in zip(grid, at, strict=True)}
        shorts = {name: _short(member, name, value) for name, value in values.items()}
        log = _logged(member)
        final = point_at(member.run, 0, final=True) or {}
        described.append(
            {
                "name": _name(member),
                "id": member.run.id,
                "at": at,
                # A β that was moved is told as it was planned and as it became.
                "marks": list(shorts.values()),
                "names": [_say(name, short) for name, short in shorts.items()],
                "beta": member.beta,
                "log": encode_log(log, MOST_LOGGED),
                "final": encode_log([{"step": 0} | final])[0],
                "split": _say_split(final),
                "logged": _say_split(log[0] if log else {}),
            }
        )
    return axes, described


def _say_split(point: Mapping[str, Any]) -> str:
    return text(f"explore.split_{point.get('split', 'train')}")


def _short(member: Member, name: str, value: Any) -> str:
    if name == "beta":
        return member.mark
    return f"{value:g}" if isinstance(value, float) else str(value)


def _say(name: str, value: Any) -> str:
    told = f"{value:g}" if isinstance(value, float) else str(value)
    return text(f"lab.at.{name}", value=told) if name in NAMED else f"{name} {told}"


def _logged(member: Member) -> list[dict[str, Any]]:
    """Return the log that the film shows: of held-out images where they were measured."""
    for split in ("validation", "train"):
        points = [point for point in member.run.metrics(split) if "kl_per_dim" in point]
        if points:
            return points
    return []


def _send_frames(run: Run, placing: Placing, most: int, *, is_whole: bool) -> list[dict[str, Any]]:
    steps, frames = run.snapshot_steps(), []
    for step in choose_frames(steps, most) if is_whole else steps[-RECENT:]:
        try:
            frames.append(get_member_frame(run, step, placing))
        except ExplorerError:
            continue  # Cut away by a resumed job between the two looks.
    return frames


def _find_theory(members: Sequence[Member]) -> dict[str, list[float]] | None:
    """Return the linear model's rates and distortions, where they are in the models' units."""
    model, betas = members[0].config.model, [member.beta for member in members]
    is_one_size = len({member.config.model.latent_dim for member in members}) == 1
    # The closed form is of a Gaussian decoder of fixed σ²: other distortions do not compare.
    if not LIKELIHOODS[model.likelihood].linear_theory or min(betas) <= 0 or not is_one_size:
        return None
    found = measure_linear_curve(
        members[0].config.dataset, model.latent_dim, model.sigma2, min(betas), 4 * max(betas)
    )
    if found is None:
        return None
    rates, distortions = found
    return {"rates": [float(x) for x in rates], "distortions": [float(x) for x in distortions]}
