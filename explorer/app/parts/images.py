"""Your own images on a page: dropped, read elsewhere, looked at, named; and removed again."""

from collections.abc import Callable

import streamlit as st

from explorer.app.parts.jobs import press, try_or_toast
from explorer.app.parts.kept import Kept, count_up, move_widget
from explorer.app.parts.pictures import show_row
from explorer.app.parts.report import describe_reading, describe_set, explain_left_out
from explorer.app.session import choose_own, library, name_visit
from explorer.app.text import explain, plain, text
from explorer.datasets.images import choose_examples
from explorer.datasets.own.fit import FITS
from explorer.jobs.readings import LARGEST_UPLOAD, UPLOADABLE, Reading

SIDES = (0, 28, 32, 64, 128)
"""Sides of images to choose from in pixels; 0 leaves them as they are."""
EXAMPLES, ACROSS = 24, 12
TICK_SECONDS = 0.5
ADDED = Kept("own_added", 0)
"""How many files this visitor has dropped: each gets a fresh place to drop one."""
OPEN = Kept("own_open", False)
"""Whether the next run of the page opens the dialog by itself."""
KEPT = Kept("own_kept", "")
"""The data set that has just been kept."""


def offer_own_images(choose: str, key: str) -> None:
    """Show the button that opens your own images, and what waits there.

    `choose` is the key of the widget by which the page chooses its data set: it is put on what is
    kept. `key` is the button's.
    """
    asked = st.button(
        text("own.open"), key=key, icon=":material/add_photo_alternate:", width="content"
    )
    if asked or OPEN.get():
        OPEN.forget()
        _show_dialog(choose)
    for reading in choose_own(library().readings.uploads()):
        st.caption(text(f"own.here.{reading.state}", name=plain(reading.name)))


def _show_dialog(choose: str) -> None:
    # Made here, for its title is in the visitor's language.
    st.dialog(text("own.title"), width="large")(_show_images)(choose)


def _show_images(choose: str) -> None:
    if KEPT.get():
        KEPT.forget()
        st.rerun()  # The page goes on with it, and the dialog closes.
    _drop_file()
    for reading in choose_own(library().readings.uploads()):
        with st.container(border=True):
            _show_reading(reading, choose)
    _list_sets()


def _drop_file() -> None:
    """Show where a file is dropped, and by which rules it is read."""
    st.markdown(text("own.lede"))
    megabytes = LARGEST_UPLOAD // 1_000_000
    file = st.file_uploader(
        text("own.file", megabytes=megabytes),
        [suffix.removeprefix(".") for suffix in UPLOADABLE],
        key=f"own_file_{ADDED.get()}",
        max_upload_size=megabytes,
    )
    st.caption(text("own.larger", megabytes=megabytes))
    st.code("latent-explorer data add PATH --name N --size 64", language="shell")
    size, fit, colour = st.columns(3)
    side = size.selectbox(text("own.size"), SIDES, format_func=_name_side, key="own_size")
    fitted = fit.selectbox(
        text("own.fit"), list(FITS), format_func=lambda name: text(f"own.fit.{name}"), key="own_fit"
    )
    grey = colour.selectbox(
        text("own.colour"),
        (False, True),
        key="own_grey",
        format_func=lambda grey: text("own.colour.grey" if grey else "own.colour.own"),
    )
    rules = {"size": side or None, "fit": fitted, "channels": 1 if grey else None}
    st.button(
        text("own.read"),
        key="own_read",
        type="primary",
        disabled=file is None,
        on_click=_read,
        args=(file, rules),
    )


def _read(file: "st.runtime.uploaded_file_manager.UploadedFile", rules: dict[str, object]) -> None:
    def add() -> Reading:
        library().admit_upload(file.size)
        return library().readings.add(file, file.name, file.size, owner=name_visit(), **rules)

    if try_or_toast(add):
        count_up(ADDED)


def _name_side(side: int) -> str:
    return text("own.size.side", side=side) if side else text("own.size.own")


def _show_reading(reading: Reading, choose: str) -> None:
    if reading.state in ("waiting", "reading"):
        _follow(reading)
    elif reading.state == "failed":
        st.error(text("own.failed", message=explain(reading.message)))
        _offer_discard(reading, text("own.discard"))
    else:
        _show_what_came(reading, choose)


@st.fragment(run_every=TICK_SECONDS)
def _follow(reading: Reading) -> None:
    """Show how far a reading is until it is over."""
    if reading.state not in ("waiting", "reading"):
        OPEN.put(True)  # The dialog closes with the page's next run, and opens again on what came.
        st.rerun()
    share = min(1.0, reading.done / reading.total) if reading.total else 0.0
    state = reading.state if reading.total else "waiting"
    st.progress(
        share,
        text(f"own.{state}", name=plain(reading.name), done=reading.done, total=reading.total),
    )
    _offer_end(reading, text("job.stop"), library().readings.stop)


def _show_what_came(reading: Reading, choose: str) -> None:
    """Show examples, the rules, what was left out, and ask for a name."""
    dataset = reading.dataset
    assert dataset.report is not None
    rows = choose_examples(dataset.labels, len(dataset), EXAMPLES)
    show_row(dataset.images[rows], text("own.examples", count=len(rows)), ACROSS)
    st.markdown("\n".join(f"- {line}" for line in describe_reading(dataset.report)))
    st.caption(describe_set(dataset))
    if dataset.report.reasons:
        with st.expander(text("own.left_out", count=sum(dataset.report.reasons.values()))):
            st.markdown("\n".join(f"- {line}" for line in explain_left_out(dataset.report)))
    named, keep, leave = st.columns([3, 1, 1], vertical_alignment="bottom")
    name = named.text_input(text("own.name"), dataset.name, max_chars=60, key=f"own_{id(reading)}")
    with keep:
        st.button(
            text("own.keep"),
            key=f"own_keep_{id(reading)}",
            type="primary",
            width="stretch",
            on_click=_keep,
            args=(reading, name, choose),
        )
    with leave:
        _offer_discard(reading, text("own.discard"))


def _keep(reading: Reading, name: str, choose: str) -> None:
    if try_or_toast(library().readings.keep, reading, name.strip()):
        KEPT.put(name.strip())
        move_widget(choose, name.strip())


def _offer_discard(reading: Reading, words: str) -> None:
    _offer_end(reading, words, library().readings.discard)


def _offer_end(reading: Reading, words: str, end: Callable[[Reading], None]) -> None:
    st.button(
        words,
        key=f"own_discard_{id(reading)}",
        width="stretch",
        on_click=press,
        args=(end, reading),
    )


def _list_sets() -> None:
    """List the visitor's own data sets, each with a button that removes it."""
    sets = library().own_sets()
    if not sets:
        return
    st.markdown(f"**{text('own.sets')}**")
    for own in sets:
        said, remove = st.columns([4, 1], vertical_alignment="center")
        _, height, width = own.shape
        said.markdown(
            text("own.set", name=plain(own.name), images=own.images, height=height, width=width)
        )
        remove.button(
            text("own.remove"),
            key=f"own_remove_{own.name}",
            width="stretch",
            help=text("own.remove_help"),
            on_click=press,
            args=(library().remove_images, own.name),
        )
