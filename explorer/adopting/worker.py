"""The process in which files are adopted, `python -m explorer.adopting.worker`: see `files`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from explorer.adopting.adopt import explain_doubt
from explorer.adopting.measure import Asked, measure_pair
from explorer.adopting.pictures import gather_images
from explorer.adopting.place import Checkpoint
from explorer.adopting.record import write_run
from explorer.adopting.replay import read_alike, write_film
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
    told, beta = job["reading"], job["beta"]

    def progress(step: str) -> None:
        if stop():
            raise ReadingStopped("The adoption was stopped.")
        tell(event="progress", done=step, total=0)

    progress("pictures")
    dataset = gather_images(job["images"], data_root=job["data_root"])
    note, layers = "", None if job["layers"] is None else Path(job["layers"])
    if job["weights"] is not None:
        encoder, decoder = read_foreign(Path(job["weights"]), layers)
        note, known = explain_file(Path(job["weights"]), layers)
        told = check_told(known, LAYERS_FILE) | told
        encoders, decoders = [encoder], [decoder]
    else:
        files = Path(job["encoder"]), Path(job["decoder"])
        encoders, decoders = open_pair(*files, dataset.shape)
    asked = Asked(job["likelihood"], job["sigma2"], job["binarise"], told, beta)
    adopted = measure_pair(encoders, decoders, dataset, asked, progress)
    path = Path(job["folder"]) / "run"
    write_run(path, adopted, beta=beta, name=job["name"], data_root=job["data_root"])
    if job["checkpoints"]:
        ordered = [Checkpoint(*each) for each in job["checkpoints"]]
        models = (
            (each, read_alike(adopted, *read_foreign(Path(each.source), layers)))
            for each in ordered
        )
        write_film(path, adopted, models, progress)
    return {"question": explain_doubt(adopted, beta), "note": note}


if __name__ == "__main__":
    serve(work)
