"""A run's own page inside a cell: it needs no widget manager, and tells Python nothing."""

import html

HEIGHT = 860


class Frame:
    """What a notebook shows of a page: an iframe that holds all of it."""

    def __init__(self, page: bytes, height: int = HEIGHT) -> None:
        self.page = page
        self.height = height

    def _repr_html_(self) -> str:
        """Return the frame; scripts run in it, and it sees nothing of the notebook."""
        source = html.escape(self.page.decode(), quote=True)
        return (
            f'<iframe srcdoc="{source}" sandbox="allow-scripts allow-downloads" width="100%" '
            f'height="{self.height}" style="border: 0"></iframe>'
        )
