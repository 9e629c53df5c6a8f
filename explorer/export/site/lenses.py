"""One image under the lens for a page without a server: what it would ask for comes along."""

from typing import Any

from explorer.analysis.inference.microscope import examine_image
from explorer.analysis.inference.posterior_grid import PosteriorGrid
from explorer.analysis.inference.refinement_path import trace_refinement
from explorer.codes import Array
from explorer.elbo.encoding import draw_targets
from explorer.export.lens import build_lens, describe_refinement
from explorer.runs.run import Run


def precompute_lens(run: Run, image: Array, grid: PosteriorGrid) -> bytes:
    """Return the lens on an image, uint8 (1, C, H, W), without words, and with the best normals.

    The posterior is exact to the certificate of `infer_posterior`. ExplorerError where the decoder
    is too large for a browser.
    """
    target = draw_targets(run.model, image)
    found = examine_image(run.model, target, grid)
    path = trace_refinement(run.model, target, [found.mode, found.posterior_mean])
    refined: dict[str, Any] = describe_refinement(path)
    return build_lens(run, target[0].cpu().numpy(), found, {}, "", refined)
