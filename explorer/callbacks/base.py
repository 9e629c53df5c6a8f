"""Lightning's class of callbacks, or a sentence that says what to install."""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from explorer.datasets.torchvision_mend import import_datasets
from explorer.errors import ExplorerError

if TYPE_CHECKING:

    class Callback:
        """Whatever Lightning calls while it fits."""
else:
    if find_spec("lightning"):
        import_datasets()  # Lightning imports torchvision too, as it stands.
    try:
        Callback = import_module("lightning.pytorch.callbacks").Callback
    except ImportError:

        class Callback:
            """What stands here without Lightning: it says so when it is made."""

            def __init__(self) -> None:
                raise ExplorerError("This callback needs Lightning: pip install lightning")
