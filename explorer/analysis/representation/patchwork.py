"""Pictures whose patches each draw a code of their own: what sharing one z does.

All patch sizes leave every pixel's probability as it is. At one pixel per patch the pixels are
independent, p(x) = Π_i p(x_i); at the whole picture it is the model's own p(x) = ∫ p(x|z) p(z) dz.
"""

import numpy as np

from explorer.analysis.checks import Floats, as_array
from explorer.analysis.representation.latents import decode_codes
from explorer.errors import ExplorerError
from explorer.models.base import Model


def decode_prior(model: Model, count: int, seed: int) -> Floats:
    """Return the means of p(x|z), (count, C, H, W), of codes drawn from N(0, I)."""
    codes = np.random.default_rng(seed).standard_normal((count, model.latent_dim))
    return decode_codes(model, codes).astype(np.float64)


def share_codes(decoded: Floats, side: int, count: int, seed: int) -> Floats:
    """Return pictures (count, C, H, W), each patch of side × side taken from a code of its own.

    `decoded` (Z, C, H, W) are the decoder's means of Z codes; each patch picks one at random.
    Raises ExplorerError for a side that does not divide the picture's.
    """
    decoded = as_array(decoded)
    codes, channels, height, width = decoded.shape
    if side < 1 or height % side or width % side:
        raise ExplorerError(f"Patches of side {side} do not tile pictures of {height} × {width}.")
    rng = np.random.default_rng(seed)
    chosen = rng.integers(codes, size=(count, height // side, width // side))
    owner = chosen.repeat(side, 1).repeat(side, 2)[:, None]
    place = np.indices((channels, height, width))
    return decoded[owner, place[0], place[1], place[2]]


def draw_pixels(probabilities: Floats, seed: int) -> Floats:
    """Return black and white pictures, each pixel drawn by its probability, of the same shape."""
    uniform = np.random.default_rng(seed).random(probabilities.shape)
    return (uniform < probabilities).astype(np.float64)


def independent_nats(decoded: Floats) -> float:
    """Return the mean score of pictures under independent pixels of the same probabilities, nats.

    Σ_i H(p̄_i), with p̄ the mean of `decoded` (Z, C, H, W) over its codes: the entropy of the
    independent pixels, and the expected −log Π_i p(x_i) of any pictures with these pixel means.
    """
    mean = np.clip(as_array(decoded).mean(0), 1e-12, 1 - 1e-12)
    return float(-(mean * np.log(mean) + (1 - mean) * np.log1p(-mean)).sum())
