"""One image's ELBO as a widget: q in the reader's hand, log p(x) computed exactly beside it."""

from typing import Any

import numpy as np

from explorer.codes import Array
from explorer.errors import ExplorerError
from explorer.notebook.base import Pictured, synced
from explorer.notebook.scripts import widget_script, widget_style
from explorer.runs.arrays import as_array
from explorer.runs.run import Run
from explorer.text import sentences


class LensWidget(Pictured):
    """The lens on one image: `examination` holds the exact terms, in nats."""

    _esm = widget_script("lens")
    _css = widget_style("lens")
    payload = synced("Bytes", b"")

    def __init__(self, payload: bytes, model: Any, target: Any, examination: Any) -> None:
        self._model, self._target = model, target
        self.examination = examination
        super().__init__(payload=payload)

    def close(self) -> None:
        """Take the widget out of the page, and let go of the model."""
        super().close()
        self._model = None
        self.payload = b""

    def _hear(self, widget: Any, content: Any, buffers: Any) -> None:
        """Answer with the best normals, for which a kernel takes a second or two."""
        if not content.get("refine") or self._model is None:
            super()._hear(widget, content, buffers)
            return
        from explorer.analysis.inference.refinement_path import trace_refinement
        from explorer.export.lens import describe_refinement

        starts = [self.examination.mode, self.examination.posterior_mean]
        path = trace_refinement(self._model, self._target, starts)
        self.send({"refined": describe_refinement(path)})


def build_lens_widget(run: Run, image: Any, language: str) -> LensWidget:
    """Return the lens on an image, a place among the run's pictures or an array; see `lens`."""
    from explorer.analysis.inference.microscope import examine_image
    from explorer.analysis.inference.posterior_grid import QUICK_RATIO, build_grid
    from explorer.elbo.encoding import draw_targets
    from explorer.export.lens import build_lens

    model = run.model
    if model.latent_dim != 2 or not model.has_density:
        raise ExplorerError(f"The lens needs a q(z|x) of two latents; {run.id} has another code.")
    target = draw_targets(model, choose_image(run, image))
    codes = run.codes()
    grid = build_grid(model, None if codes is None else codes.mean, ratio=QUICK_RATIO)
    found = examine_image(model, target, grid)
    words = sentences(language, "elbo.lens.")
    payload = build_lens(run, target[0].cpu().numpy(), found, words, language)
    return LensWidget(payload, model, target, found)


def choose_image(run: Run, image: Any) -> Array:
    """Return an image as uint8 (1, C, H, W): a run's own by its place, or one that is given."""
    if isinstance(image, int | np.integer):
        from explorer.export.pictures import find_pictures
        from explorer.library import Library

        pictures = find_pictures(run, Library().images_of(run))
        if pictures is None or not 0 <= image < len(pictures.images):
            count = 0 if pictures is None else len(pictures.images)
            known = f"give a place below {count}, or an array" if count else "give an array"
            raise ExplorerError(f"{run.id} has {count} images at hand: {known}.")
        return np.asarray(pictures.images[image : image + 1])
    array = np.asarray(as_array(image))
    if array.dtype != np.uint8:
        if not array.size or not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
            raise ExplorerError("An image is bytes, or numbers in [0, 1].")
        array = np.rint(255 * array).astype(np.uint8)
    shape = tuple(run.model.shape)
    if array.size != np.prod(shape):
        raise ExplorerError(f"This image is {array.shape}; the model takes {shape}.")
    return array.reshape(1, *shape)
