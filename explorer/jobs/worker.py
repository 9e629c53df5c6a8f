"""The process that trains: `python -m explorer.jobs.worker [THREADS]`.

It reads one job per line of standard input (JSON: directory, config, data_root and, for models
trained together, family) and answers each with one line of standard output. It is started once,
stays warm, and ends when its input closes, after the job at hand: a job outlives the server that
asked for it.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from explorer.training.machine import (
    NO_SPIN,
    WORKER_NICENESS,
    choose_device,
    leave_a_core,
    loading_libraries,
    set_spin_count,
    step_back,
    use_threads,
)


def main() -> None:
    """Serve jobs until standard input closes."""
    set_spin_count(NO_SPIN)  # Idle threads must not spin beside a busy server.
    step_back(WORKER_NICENESS)
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # Whatever a library prints must not be mistaken for an answer.

    with loading_libraries():  # A fifth of the start went into looking for garbage.
        from explorer.config import Config
        from explorer.errors import ExplorerError
        from explorer.training.family import train_family
        from explorer.training.loop import train

    if len(sys.argv) > 1:
        use_threads(int(sys.argv[1]))
    else:
        leave_a_core()
    warm_up()
    _answer(answers, event="ready")
    for line in sys.stdin:
        job = json.loads(line)
        try:
            check_still_wanted(job)
            if members := job.get("family"):
                configs = {name: Config.from_dict(values) for name, values in members.items()}
                train_family(configs, job["directory"], data_root=job["data_root"])
            else:
                train(Config.from_dict(job["config"]), job["directory"], data_root=job["data_root"])
            _answer(answers, event="done")
        except ExplorerError as error:
            _answer(answers, event="failed", message=str(error))
        except Exception as error:  # The worker must outlive any one job.
            _answer(answers, event="failed", message=f"{type(error).__name__}: {error}")


def check_still_wanted(job: dict[str, Any]) -> None:
    """Raise a RunRemoved where a run of the job was deleted while it waited."""
    from explorer.errors import RunRemoved

    folder = Path(job["directory"])
    for path in [folder / name for name in job.get("family") or ()] or [folder]:
        if not (path / "run.json").is_file():
            raise RunRemoved(f"The run at {path} was removed before its training began.")


def warm_up() -> None:
    """Pay for first uses now, while nobody waits for them."""
    import numpy as np

    from explorer.config import Config
    from explorer.datasets import load_dataset
    from explorer.training.single import SingleEngine

    config = Config()
    images = np.zeros((256, 1, 8, 8), np.uint8)
    SingleEngine(config, images, choose_device(config.device)).step(0, 10, [1.0])
    load_dataset("digits")


def _answer(stream, **values: str) -> None:  # type: ignore[no-untyped-def]
    try:
        stream.write(json.dumps(values) + "\n")
    except (BrokenPipeError, ValueError):
        pass  # The server is gone; the job goes on and its run directory tells how it ended.


if __name__ == "__main__":
    main()
