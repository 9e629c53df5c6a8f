"""A VQ-VAE's codes: the code grid, how often each is used, and codes swapped by hand."""

from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from explorer.analysis.representation.codebook import (
    CodeUsage,
    decode_indices,
    encode_indices,
    score_indices,
    swap_code,
)
from explorer.app.cached import get_pictures, get_run_with_model
from explorer.app.cached.codebook import get_codebook, get_samples, list_codebooks
from explorer.app.parts.address import leave_behind, write_address
from explorer.app.parts.charts import clicked_points, role_colours, show_chart
from explorer.app.parts.choices import bound_number, kept_choice, kept_number
from explorer.app.parts.failures import told
from explorer.app.parts.kept import Kept, count_up, move_widget, read_widget
from explorer.app.parts.names import label_run
from explorer.app.parts.pictures import show_row
from explorer.app.text import number, sentences, text
from explorer.elbo.encoding import draw_targets
from explorer.export.payload import Pictures
from explorer.figures.codebook import (
    code_grid_figure,
    codebook_figure,
    tint_changes,
    usage_bars,
)
from explorer.figures.pictures import data_uri, encode_png, picture_sheet
from explorer.models.vq import check_codebook
from explorer.runs.run import Run

MODEL, IMAGE, POSITION, ENTRY = (
    f"codebook_{name}" for name in ("model", "image", "position", "entry")
)
"""Keys of the widgets; all but the model's end with the run, which sets their range."""
SEED = Kept("codebook_seed", 0)
SIDE = 224
SAMPLES = 12


@dataclass
class Hand:
    """What was swapped by hand, of which picture: entries by position."""

    subject: tuple[str, int] = ("", -1)
    swaps: dict[int, int] = field(default_factory=dict)

    def entry_key(self) -> str:
        """Return the key of the field that holds the entry at the chosen position."""
        return f"{ENTRY}_{self.subject[0]}"

    def position_key(self) -> str:
        """Return the key of the field that holds the chosen position, counted from 1."""
        return f"{POSITION}_{self.subject[0]}"

    def swap(self, codes: np.ndarray) -> np.ndarray:
        """Return the codes (P,) of the picture with the swaps in them."""
        for position, entry in self.swaps.items():
            codes = swap_code(codes, position, entry)
        return codes


HAND = Kept("codebook_hand", Hand())


def get_hand(subject: tuple[str, int]) -> Hand:
    """Return the visitor's swaps, none yet where another picture is looked at."""
    if HAND.get().subject != subject:
        HAND.put(Hand(subject))
    return HAND.get()


def choose_model(runs: dict[str, Run]) -> Run:
    """Return the run that the menu, else the address, asks for."""
    kept = kept_choice(MODEL, runs, "vq")
    chosen = st.selectbox(
        text("codebook.model"),
        list(runs),
        list(runs).index(kept or ""),
        key=MODEL,
        width=230,
        format_func=lambda run_id: label_run(runs[run_id]),
    )
    if st.query_params.get("vq", chosen) != chosen:
        leave_behind(("image", "position"))
    st.query_params["vq"] = chosen
    return get_run_with_model(runs[chosen])


def _open_picture(run: Run, pictures: Pictures, key: str) -> None:
    """Show the entry of the picture that was chosen."""
    hand = get_hand((run.id, int(read_widget(key))))
    _show_entry(hand, encode_indices(run.model, pictures.images[hand.subject[1]]))


def _show_entry(hand: Hand, codes: np.ndarray) -> None:
    """Show the entry at the chosen position."""
    shown = kept_number(hand.position_key(), None, len(codes) // 2 + 1, 1, len(codes))
    move_widget(hand.entry_key(), int(hand.swap(codes)[shown - 1]))


def _choose_position(hand: Hand, chart: str, codes: np.ndarray) -> None:
    """Take the square that was clicked."""
    if points := clicked_points(chart):
        move_widget(hand.position_key(), points[0] + 1)
        _show_entry(hand, codes)


def _take_entry(hand: Hand, chart: str, position: int, own: int) -> None:
    """Put the entry that was clicked at the chosen position."""
    if points := clicked_points(chart):
        _put(hand, position, points[0], own)


def _type_entry(hand: Hand, position: int, own: int) -> None:
    _put(hand, position, int(read_widget(hand.entry_key())), own)


def _put(hand: Hand, position: int, entry: int, own: int) -> None:
    hand.swaps.pop(position, None)
    if entry != own:
        hand.swaps[position] = entry
    move_widget(hand.entry_key(), entry)


def _undo(hand: Hand, codes: np.ndarray) -> None:
    hand.swaps.clear()
    _show_entry(hand, codes)


def show_picture(picture: np.ndarray, caption: str) -> None:
    """Show one picture (H, W, 3) uint8 over its caption, enlarged without smoothing."""
    uri = data_uri(encode_png(picture, max(1, SIDE // picture.shape[0])))
    st.html(
        f'<figure style="margin: 0"><img src="{uri}" alt="{caption}" '
        f'style="width: 100%; max-width: {SIDE}px; image-rendering: pixelated; '
        f'border-radius: 6px; display: block"><figcaption style="font-size: 0.8rem; '
        f'opacity: 0.75; padding-top: 4px">{caption}</figcaption></figure>'
    )


def choose_code(run: Run, codes: np.ndarray, hand: Hand) -> tuple[int, np.ndarray]:
    """Return the chosen position and the codes (P,) with what was swapped by hand."""
    key = hand.position_key()
    middle = len(codes) // 2 + 1
    shown = kept_number(key, "position", middle, 1, len(codes))
    write_address("position", shown, middle)
    position, swapped = shown - 1, hand.swap(codes)
    st.number_input(
        text("codebook.position"),
        1,
        len(codes),
        shown,
        key=key,
        width=130,
        on_change=_show_entry,
        args=(hand, codes),
    )
    st.number_input(
        text("codebook.entry"),
        0,
        check_codebook(run.model).config.codebook - 1,
        int(swapped[position]),
        key=hand.entry_key(),
        width=130,
        on_change=_type_entry,
        args=(hand, position, int(codes[position])),
    )
    st.button(
        text("codebook.undo"),
        key="codebook_undo",
        disabled=not hand.swaps,
        on_click=_undo,
        args=(hand, codes),
    )
    return position, swapped


def show_swap(
    run: Run, picture: np.ndarray, codes: np.ndarray, swapped: np.ndarray, position: int, hand: Hand
) -> None:
    """Show picture, code grid and reconstruction, and what the swapped codes change."""
    model, roles = run.model, role_colours()
    before, after = decode_indices(model, np.stack([codes, swapped]))
    x = draw_targets(model, picture[None])
    nats = score_indices(model, np.stack([codes, swapped]), x)
    grid = check_codebook(model).grid
    first, second, third, fourth = st.columns([1, 1.1, 1, 1], gap="medium")
    with first:
        shown = (255 * x[0].cpu().numpy()).astype(np.uint8)
        binary = "_binary" if model.likelihood.binarises else ""
        show_picture(picture_sheet(shown[None], 1), text(f"codebook.picture{binary}"))
    with second:
        # A new key for each choice: a chart keeps its selection, and the next click would undo it.
        key = f"codebook_grid_{position}_{hash(swapped.tobytes())}"
        figure = code_grid_figure(
            swapped.reshape(grid),
            check_codebook(model).config.codebook,
            roles,
            sentences("codebook.grid."),
            chosen=position,
            changed=(swapped != codes).reshape(grid),
            height=SIDE + 16,
        )
        show_chart(
            figure,
            key,
            selection_mode="points",
            on_select=lambda: _choose_position(hand, key, codes),
            width="content",
        )
    with third:
        sheet = picture_sheet((255 * before).round().astype(np.uint8)[None], 1)
        show_picture(sheet, text("codebook.before", nats=number(nats[0], ".1f")))
    with fourth:
        words = "codebook.after_none" if np.array_equal(swapped, codes) else "codebook.after"
        change = number(nats[1] - nats[0], "+.1f")
        tinted = tint_changes(before, after, roles.latent)
        show_picture(tinted, text(words, nats=number(nats[1], ".1f"), change=change))
    st.caption(text("codebook.swap.caption"))


def show_entries(run: Run, hand: Hand, position: int, own: int, chosen: int) -> None:
    """Show what the entries paint, to be clicked, and how often each is used."""
    roles = role_colours()
    usage, pictures = get_codebook(run)
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        st.markdown(f"**{text('codebook.entries')}**")
        key = f"codebook_entries_{position}_{hash(str(hand.swaps))}"
        figure = codebook_figure(
            pictures, usage.share, roles, sentences("codebook.entries."), chosen=chosen
        )
        show_chart(
            figure,
            key,
            selection_mode="points",
            on_select=lambda: _take_entry(hand, key, position, own),
        )
        st.caption(text("codebook.entries.caption"))
    with right:
        st.markdown(f"**{text('codebook.usage')}**")
        figure = usage_bars(usage.share, roles, sentences("codebook.usage."), chosen=chosen)
        show_chart(figure, "codebook_usage", describe_usage(usage))


def describe_usage(usage: CodeUsage) -> str:
    """Return used entries, perplexity and what the grid costs, in one paragraph."""
    return text(
        "codebook.usage.caption",
        used=usage.used,
        entries=usage.entries,
        perplexity=f"{usage.perplexity:.1f}",
        error=f"{usage.perplexity_error:.1f}",
        images=usage.images,
    )


def show_samples(run: Run, usage: CodeUsage) -> None:
    """Show what the uniform prior gives, and say why these are no digits."""
    st.markdown(f"**{text('codebook.samples')}**")
    uniform, by_position = get_samples(run, SAMPLES, SEED.get())
    left, right = st.columns(2, gap="medium")
    with left:
        show_row(uniform, text("codebook.samples.uniform"), SAMPLES // 2)
    with right:
        show_row(by_position, text("codebook.samples.position"), SAMPLES // 2)
    st.button(text("codebook.samples.again"), key="codebook_again", on_click=count_up, args=(SEED,))
    positions = run.info.latent_dim
    st.caption(
        text(
            "codebook.samples.caption",
            positions=positions,
            entries=usage.entries,
            rate=f"{usage.rate:.1f}",
            by_usage=f"{usage.rate_by_usage:.1f}",
        )
    )


@st.fragment
@told()
def show_codebook() -> None:
    """Lay out the section."""
    runs = list_codebooks()
    if not runs:
        st.info(text("codebook.no_models"))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = choose_model(runs)
        pictures = get_pictures(run)
        if pictures is None:
            st.info(text("codebook.no_pictures"))
            return
        last, key = len(pictures.images) - 1, f"{IMAGE}_{run.id}"
        drawn = "_drawing" if pictures.source == "sample" else ""
        index = bound_number(
            key,
            "image",
            text(f"codebook.image{drawn}"),
            0,
            last,
            0,
            width=150,
            on_change=_open_picture,
            args=(run, pictures, key),
        )
        picture = pictures.images[index]
        codes = encode_indices(run.model, picture)
        hand = get_hand((run.id, index))
        position, swapped = choose_code(run, codes, hand)
    show_swap(run, picture, codes, swapped, position, hand)
    show_entries(run, hand, position, int(codes[position]), int(swapped[position]))
    show_samples(run, get_codebook(run)[0])
