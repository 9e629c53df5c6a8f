"""What all widgets have in common, and the class they build on, or what to install."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError

if TYPE_CHECKING:

    class Synced:
        """Whatever anywidget does for a widget."""

        def __init__(self, **traits: Any) -> None: ...
        def close(self) -> None:
            """Take the widget out of the page."""

        def send(self, content: Any) -> None:
            """Send a message to the page."""

        def on_msg(self, hear: Any) -> None:
            """Have messages of the page heard."""

    def synced(kind: str, default: Any = None) -> Any:
        """Return a trait of traitlets that the page shares: its class, and what it begins with."""
else:
    try:
        Synced = import_module("anywidget").AnyWidget
        traitlets = import_module("traitlets")

        def synced(kind, default=None):
            """Return a trait of traitlets that the page shares."""
            return getattr(traitlets, kind)(default).tag(sync=True)
    except ImportError:

        class Synced:
            """What stands here without anywidget: it says so when it is made."""

            def __init__(self, **traits) -> None:
                raise ExplorerError(
                    "Widgets need anywidget: pip install 'latent-explorer[notebook]'. "
                    "explorer.show(run, frame=True) does without."
                )

        def synced(kind, default=None):
            """Return nothing: no widget will be made."""


class Pictured(Synced):
    """A widget of which a cell's output can hold a picture."""

    snapshots = synced("Int", 0)
    """How many pictures Python has asked for."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._asked: dict[int, Any] = {}
        self.on_msg(self._hear)

    def snapshot(self) -> None:
        """Put the widget, as it stands, into the output of this cell: a PNG, saved with it.

        It comes a second later, drawn by the page that shows the widget. ExplorerError outside of
        Jupyter, where cells cannot be written to later.
        """
        handle = begin_output("A picture of the widget comes as soon as a page shows it.")
        self._asked[self.snapshots + 1] = handle
        self.snapshots += 1

    def close(self) -> None:
        """Take the widget out of the page, and let go of what it holds."""
        self._asked.clear()
        super().close()

    def _hear(self, _: Any, content: Any, buffers: Any) -> None:
        handle = self._asked.pop(content.get("snapshot"), None)
        if handle is not None:
            fill_output(handle, content)


def begin_output(words: str) -> Any:
    """Return the handle of an output in this cell that says `words` until it is filled."""
    from IPython import get_ipython
    from IPython.display import display

    shell = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        raise ExplorerError("A snapshot needs a Jupyter notebook: only there a cell can hold it.")
    return display({"text/plain": words}, raw=True, display_id=True)


def fill_output(handle: Any, content: dict[str, Any]) -> None:
    """Put the picture that a page made where `begin_output` was, or why there is none."""
    if "png" in content:
        bundle = {"image/png": content["png"], "text/plain": "A picture of the widget."}
    else:
        bundle = {"text/plain": f"This browser draws no picture: {content.get('failure', '')}"}
    handle.update(bundle, raw=True)
