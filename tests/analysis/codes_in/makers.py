"""Codes with known verdicts: living dimensions of one variance, sleeping ones at the prior."""

import io
import zipfile

import numpy as np


def make_codes(count=1500, latents=10, alive=4, variance=0.05, seed=0):
    """Return mean and logvar (count, latents), float32: Var μ + σ² = 1 where it lives.

    The rate is alive · (−½ ln variance), exactly so in the limit of many items.
    """
    rng = np.random.default_rng(seed)
    mean = 1e-3 * rng.normal(size=(count, latents))
    logvar = 1e-3 * rng.normal(size=(count, latents))
    mean[:, :alive] = rng.normal(0, (1 - variance) ** 0.5, (count, alive))
    logvar[:, :alive] = np.log(variance) + rng.normal(0, 0.02, (count, alive))
    return mean.astype(np.float32), logvar.astype(np.float32)


def rate_of(mean, logvar):
    """Return the mean KL to N(0, I) in nats, summed over dimensions."""
    mean, logvar = mean.astype(float), logvar.astype(float)
    return float((0.5 * (mean**2 + np.exp(logvar) - 1 - logvar)).mean(0).sum())


def make_sequences(clips=20, latents=64, frames=16, alive=5, sigma=0.1, seed=0):
    """Return mean and logvar (clips, latents, frames) as audio VAEs give them, float16."""
    rng = np.random.default_rng(seed)
    mean = np.zeros((clips, latents, frames))
    logvar = np.zeros((clips, latents, frames))
    mean[:, :alive] = rng.normal(0, (1 - sigma**2) ** 0.5, (clips, alive, frames))
    logvar[:, :alive] = 2 * np.log(sigma)
    return mean.astype(np.float16), logvar.astype(np.float16)


def save(path, **arrays):
    """Write an .npz and return its path."""
    np.savez(path, **arrays)
    return path


def header(descr, shape, fortran=False):
    """Return the header of an .npy as bytes."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": descr, "fortran_order": fortran, "shape": shape}
    )
    return stream.getvalue()


def forge(path, members, method=zipfile.ZIP_STORED):
    """Write a zip of raw members (name → bytes or iterable of bytes) and return its path."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            with archive.open(name, "w", force_zip64=True) as stream:
                for part in [content] if isinstance(content, bytes) else content:
                    stream.write(part)
    return path


def assert_near(found, expected, within):
    """Hold thousands of numbers to their known answers: `approx` looks at each by itself."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=within, equal_nan=False)
