"""The process in which files are adopted, `python -m explorer.adopting.worker`: see `files`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from explorer.adopting.adopt import as_source, explain_doubt
from explorer.adopting.files import ModelFiles
from explorer.adopting.measure import measure_pair
from explorer.adopting.pictures import gather_images
from explorer.adopting.place import Checkpoint
from explorer.adopting.record import write_run
from explorer.adopting.replay import read_alike, write_film
from explorer.adopting.told import Told
from explorer.datasets.report import ReadingStopped
from explorer.jobs.process import serve
from explorer.models.adopted.opening import open_pair
from explorer.models.adopted.unfolded import check_told
from explorer.models.adopted.weights import (
    LAYERS_FILE,
    explain_file,
    read_foreign,
)


def work(
    job: dict[str, Any], tell: Callable[..., None], stop: Callable[[], bool]
) -> dict[str, str]:
    """Do one adoption; return what must be asked of its reading, and noted of its weights."""
    told, files = Told(**job["told"]), read_files(job["files"])

    def progress(step: str) -> None:
        if stop():
            raise ReadingStopped("The adoption was stopped.")
        tell(event="progress", done=step, total=0)

    progress("pictures")
    dataset = gather_images(told.images, data_root=job["data_root"])
    note, layers = "", None if files.layers is None else Path(files.layers)
    if files.newest is not None:
        weights = Path(files.newest)
        encoder, decoder = read_foreign(weights, layers)
        note, known = explain_file(weights, layers)
        known = {**check_told(known, LAYERS_FILE), **told.reading}
        told = replace(told, reading=known)
        encoders, decoders = [encoder], [decoder]
    else:
        encoders, decoders = open_pair(
            as_source(files.encoder), as_source(files.decoder), dataset.shape
        )
    adopted = measure_pair(encoders, decoders, dataset, told, progress)
    path = Path(job["folder"]) / "run"
    write_run(path, adopted, told, job["data_root"])
    if files.checkpoints:
        models = (
            (each, read_alike(adopted, *read_foreign(Path(each.source), layers)))
            for each in files.checkpoints
        )
        write_film(path, adopted, models, progress)
    return {"question": explain_doubt(adopted, told.beta), "note": note}


def read_files(values: dict[str, Any]) -> ModelFiles:
    """Return the files of a job, whose checkpoints have become tables on their way."""
    checkpoints = [Checkpoint(**each) for each in values["checkpoints"]]
    return ModelFiles(**values | {"checkpoints": checkpoints})


if __name__ == "__main__":
    serve(work)
