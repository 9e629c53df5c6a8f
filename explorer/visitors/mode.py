"""In which way a server is open: to one person, to a class, or to everybody."""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from explorer.visitors.limits import Limits

ENVIRONMENT = "LATENT_EXPLORER_VISITORS"
"""By which `latent-explorer app` tells the server that it starts; people set it not."""


@dataclass(frozen=True)
class Mode:
    """How a server with visitors is run; a server without one is its one user's."""

    kind: str
    """"classroom" or "public"."""
    code: str = ""
    """What a visitor has to say to come in; "" where everybody may."""
    lecturer: str = ""
    """What makes a visitor the lecturer; "" where there is none."""
    uploads: bool = True
    """Whether visitors may hand over files."""
    workers: int = 1
    """Trainings at a time, on this machine."""
    scheduler: str | None = None
    """Address of a Dask cluster that trains instead."""
    limits: Limits = Limits()

    def write(self) -> str:
        """Return it as it is handed to the server."""
        return json.dumps(dataclasses.asdict(self))


def read_mode(environment: Mapping[str, str] = os.environ) -> Mode | None:
    """Return the mode in which this server was started, None for that of one user."""
    written = environment.get(ENVIRONMENT)
    if not written:
        return None
    values = json.loads(written)
    return Mode(**{**values, "limits": Limits(**values["limits"])})
