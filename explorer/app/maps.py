"""Models that have a map, in the order of its menu, and what a first visitor's page opens with."""

import contextlib

from explorer.app.session import library
from explorer.errors import ExplorerError
from explorer.export.kept import find_payload
from explorer.runs.run import Run
from explorer.text import sentences
from explorer.visitors.house import get_house

FAVOURITE = "mnist-2d"


def list_models() -> dict[str, tuple[Run, str]]:
    """Return what can be opened here by id, with its group: shipped models, then own runs."""
    # The map needs a continuous code; the Models page shows codebooks.
    found = {
        run.id: (run, "group_own" if library().is_own(run) else "group_pretrained")
        for run in library().runs({"model", "map"})
    }
    return dict(sorted(found.items(), key=lambda entry: _menu_place(*entry[1])))


def _menu_place(run: Run, group: str) -> tuple[bool, str, str, float, str]:
    """Shipped models before own ones, single ones by their images before sweeps, sweeps by β."""
    folder = run.id.rpartition("/")[0]
    info = run.info
    beta = info.config.objective.beta if folder and info.config is not None else 0.0
    if group == "group_own":
        return True, folder, "", beta, ""
    images = info.dataset.name if info.dataset else ""
    name = "" if run.id == FAVOURITE else run.id
    return False, folder, "" if FAVOURITE.startswith(images) else images, beta, name


def what_is_at_hand(run: Run) -> tuple[bool, bool]:
    """Tell whether a run's codes are there, and whether its images are on this machine."""
    images = library().images_of(run, at_once=True)
    return (run.path / "codes.npz").is_file(), images is not None


def payload_parts(run: Run, spoken: str) -> tuple[object, ...]:
    """Return all that the payload of a shipped run's map depends on, in the language `spoken`."""
    words = sentences(spoken, "explore.")
    return run.id, run.fingerprint, run.name, what_is_at_hand(run), spoken, words


def find_first_payload(model: str, language: str) -> bytes | None:
    """Return what Explore will show for `model`, as its address names it ("" for none).

    None where that takes more than reading a file: for an own model, for an unknown one, before it
    was first built, and on a server with visitors, where it depends on who asks.
    """
    if get_house() is not None:
        return None
    with contextlib.suppress(ExplorerError):
        models = list_models()
        known = models.get(model or next(iter(models), ""))
        if known and not library().is_own(known[0]):
            return find_payload(payload_parts(known[0], language))
    return None
