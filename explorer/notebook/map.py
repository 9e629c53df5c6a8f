"""The latent map as a widget: z, the selection and what was picked, on both sides."""

from typing import Any

from explorer.errors import ExplorerError
from explorer.export.answers import ANSWERS
from explorer.notebook.base import Pictured, synced
from explorer.notebook.scripts import widget_script, widget_style


class MapWidget(Pictured):
    """The latent map of a model.

    `z` is where the map stands, a list of K numbers; `selection` the ids of the images that are
    selected; `picked` what was clicked last, {"z", "id", "label"}, id and label None beside a code.
    Each can be set as well: z moves the map, a list of ids is selected, {"id": n} goes to an image.
    All three can be observed: `widget.observe(hear, "selection")`.
    """

    _esm = widget_script("map")
    _css = widget_style("map")
    payload = synced("Bytes", b"")
    z = synced("List")
    selection = synced("List")
    picked = synced("Dict")

    def __init__(self, payload: bytes, model: Any) -> None:
        self._model = model
        super().__init__(payload=payload)

    def move(self, z: Any) -> None:
        """Move the map to z, an array or a list of K numbers."""
        values = [float(value) for value in z]
        if len(values) != self._model.latent_dim:
            raise ExplorerError(
                f"z has {self._model.latent_dim} numbers here, {len(values)} were given."
            )
        self.z = values

    def select(self, ids: Any) -> None:
        """Select the images of some ids; an empty list clears the selection."""
        self.selection = [int(value) for value in ids]

    def close(self) -> None:
        """Take the widget out of the page, and let go of the model and its codes."""
        super().close()
        self._model = None
        self.payload = b""

    def _hear(self, widget: Any, content: Any, buffers: Any) -> None:
        """Answer what only the kernel can compute: codes, and pictures."""
        kind = content.get("kind")
        if kind not in ANSWERS or self._model is None:
            super()._hear(widget, content, buffers)
            return
        message: dict[str, Any] = {"view": content.get("view")}
        try:
            answer = ANSWERS[kind](self._model, content.get("request"))
            message["decoded"] = [] if answer is None else [answer]
        except Exception as error:  # Whatever their functions raise: the page says it.
            message["failure"] = f"{type(error).__name__}: {error}"
        self.send(message)
