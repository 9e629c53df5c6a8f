"""Radial spectra: noise is flat, a wave is one ring, blur falls as its transfer function says."""

import json

import numpy as np
import pytest

from explorer.analysis.codes_in.spectrum import measure_spectrum
from explorer.cli import main
from explorer.errors import ExplorerError

NOISE = np.random.default_rng(0).normal(0, 3, (400, 2, 16, 16))


def test_noise_is_flat_whatever_its_variance():
    found = measure_spectrum(NOISE)
    assert found.cycles == tuple(range(1, 9))
    # The mean that is left out is one of 256 modes.
    assert found.power == pytest.approx(np.full(8, 256 / 255), rel=0.03)


@pytest.mark.parametrize("cycles", [1, 3, 7])
def test_a_wave_is_in_the_ring_of_its_cycles(cycles):
    wave = np.sin(2 * np.pi * cycles * np.arange(16) / 16)
    power = measure_spectrum(wave * np.ones((1, 1, 16, 1))).power
    assert np.delete(power, cycles - 1) == pytest.approx(0, abs=1e-9) and power[cycles - 1] > 1


def test_blurred_noise_falls_as_the_blurs_transfer_function():
    # (1, 2, 1)/4 along one axis has the transfer function cos²(πf), squared in power.
    blurred = (np.roll(NOISE, 1, 3) + 2 * NOISE + np.roll(NOISE, -1, 3)) / 4
    falls = np.cos(np.pi * np.fft.fftfreq(16)) ** 4
    frequency = np.fft.fftfreq(16) * 16
    ring = np.rint(np.hypot(frequency[:, None], frequency[None, :]))
    expected = np.array([np.broadcast_to(falls, (16, 16))[ring == r].mean() for r in range(1, 9)])
    power = measure_spectrum(blurred).power
    assert power / power.sum() == pytest.approx(expected / expected.sum(), rel=0.05)


@pytest.mark.parametrize("shape", [(5, 16, 16), (5, 1, 3, 16)])
def test_what_has_no_spectrum_is_one_sentence(shape):
    with pytest.raises(ExplorerError, match="at least 4 × 4"):
        measure_spectrum(np.ones(shape))
    with pytest.raises(ExplorerError, match="constant"):
        measure_spectrum(np.ones((2, 1, 8, 8)))


@pytest.mark.parametrize("letters", ["NCHW", "NHWC"])
def test_latents_stand_beside_the_images_cycle_by_cycle(tmp_path, capsys, letters):
    latents = NOISE if letters == "NCHW" else np.moveaxis(NOISE, 1, -1)
    np.save(tmp_path / "latents.npy", latents)
    arguments = ["diagnose", "--latents", str(tmp_path / "latents.npy"), "--images", "digits"]
    assert main([*arguments, "--json"]) == 0
    spectrum = json.loads(capsys.readouterr().out)["radial_spectrum"]
    assert spectrum["cycles"] == list(range(1, 9))
    assert spectrum["latents"] == pytest.approx(np.full(8, 256 / 255), rel=0.03)
    # Digits of 8 × 8 end at 4 cycles, and most of what they show is coarse.
    assert spectrum["images"][4:] == [None] * 4 and spectrum["images"][0] > 3
    assert main(arguments) == 0
    assert "cycles per picture" in capsys.readouterr().out


def test_codes_without_positions_have_none(tmp_path, capsys):
    np.save(tmp_path / "flat.npy", NOISE.reshape(400, -1)[:, :8])
    arguments = ["diagnose", "--latents", str(tmp_path / "flat.npy"), "--images", "digits"]
    assert main(arguments) == 2
    assert "no positions" in capsys.readouterr().err
    assert main(["diagnose", "digits-2d", "--images", "digits"]) == 2
