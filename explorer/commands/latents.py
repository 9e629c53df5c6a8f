"""Scale and shift of latents for diffusion, of one file or of two side by side."""

import argparse
from typing import Any

from explorer.commands.output import progress_line, report
from explorer.errors import ExplorerError

MOST_FILES = 2
MOST_IMAGES = 2000
HEADS = ("mean", "std of μ", "E σ", "std")
WIDTH = 10


def diagnose_latents(options: argparse.Namespace) -> None:
    """Print mean and spread of every channel and of all together; with --json their factors."""
    from explorer.analysis.codes_in.latent_scale import read_latent_scale

    if len(options.latents) > MOST_FILES:
        raise ExplorerError("Give one file of latents, or two to be compared.")
    found = []
    with progress_line() as show:
        for path in options.latents:
            scale = read_latent_scale(
                path,
                axes=options.axes,
                spread=options.spread,
                progress=lambda part: show(f"{part:.0%}"),
            )
            found.append(scale.to_dict())
    lines = describe_latents(found)
    if options.images is not None:
        images = _measure_images(options.images, options.data_root)
        for file in found:
            file["radial_spectrum"] = join_spectra(file, images)
            lines += describe_spectrum(file)
    values = found[0] if len(found) == 1 else {"files": found}
    report(options.json, values, "\n".join(lines))


def _measure_images(given: str, data_root: str | None) -> dict[int, float]:
    """Return the power of the images by their cycles per picture."""
    from explorer.adopting.pictures import gather_images
    from explorer.analysis.codes_in.spectrum import measure_spectrum

    found = measure_spectrum(gather_images(given, data_root=data_root).images[:MOST_IMAGES])
    return dict(zip(found.cycles, found.power.tolist(), strict=True))


def join_spectra(file: dict[str, Any], images: dict[int, float]) -> dict[str, Any]:
    """Return the spectrum of a file's latents with the images' beside it, None beyond its end."""
    own = file["radial_spectrum"]
    if own is None:
        raise ExplorerError(
            f"{file['name']} has no positions (H, W) of at least 4 × 4, so it has no spectrum."
        )
    beside = [images.get(cycle) for cycle in own["cycles"]]
    return {"cycles": own["cycles"], "latents": own["power"], "images": beside}


def describe_spectrum(file: dict[str, Any]) -> list[str]:
    """Return a spectrum in lines of text; without structure each figure would be 1."""
    spectrum = file["radial_spectrum"]
    rows = zip(spectrum["cycles"], spectrum["latents"], spectrum["images"], strict=True)
    return [
        f"{file['name']}: power by cycles per picture (1 everywhere is noise without structure)",
        _line("", f"{'latents':>{WIDTH}}{'images':>{WIDTH}}"),
        *(_line(str(cycle), _cells([one, other])) for cycle, one, other in rows),
    ]


def describe_latents(files: list[dict[str, Any]]) -> list[str]:
    """Return the figures in lines of text, a group of columns for each file."""
    lines = [f"! {file['name']}: {told['text']}" for file in files for told in file["told"]]
    lines += [f"! {file['name']}: {file['note']}" for file in files if file["note"]]
    wide = len(HEADS) * WIDTH
    channels = sorted({channel for file in files for channel in file["channels"]})
    return [
        *lines,
        _line("", *(f"  {file['name']}"[:wide].ljust(wide) for file in files)),
        _line("channel", *("".join(head.rjust(WIDTH) for head in HEADS) for _ in files)),
        *(_line(str(channel + 1), *(_figures(f, channel) for f in files)) for channel in channels),
        _line("all", *(_cells(_whole(file)) for file in files)),
        *(
            _line(name, *(_cells([None, None, None, file[name]]) for file in files))
            for name in ("scaling_factor", "shift_factor")
        ),
    ]


def _figures(file: dict[str, Any], channel: int) -> str:
    """Return one channel's figures, nothing where a file lacks it."""
    if channel not in file["channels"]:
        return _cells([None] * len(HEADS))
    place = file["channels"].index(channel)
    arrays = (file[key] for key in ("latents_mean", "std_of_means", "mean_sigma", "latents_std"))
    return _cells([None if array is None else array[place] for array in arrays])


def _whole(file: dict[str, Any]) -> list[float | None]:
    return [file["global_mean"], file["global_std_of_means"], None, file["global_std"]]


def _cells(values: list[float | None]) -> str:
    return "".join(("" if value is None else f"{value:.4g}").rjust(WIDTH) for value in values)


def _line(name: str, *groups: str) -> str:
    return f"{name:<15}{' '.join(groups)}".rstrip()
