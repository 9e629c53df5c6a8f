"""What a notebook's page is handed of the browser side: one script a widget, and its style."""

import json

from explorer.browser import read_styles
from explorer.export.bundle import WORKER_ENTRY, bundle_modules
from explorer.figures.palette import role_variables

ROOM = "notebook"


def widget_script(name: str) -> str:
    """Return an ES module whose default export is the widget `name`: "map", "lens" or "film".

    Nothing is fetched by it: the source of the map's worker goes along.
    """
    entry = f"{ROOM}/{name}.js"
    worker = json.dumps(bundle_modules(WORKER_ENTRY)) if name == "map" else '""'
    return f'{bundle_modules(entry)}\nexport default modules["{entry}"].default({worker});\n'


def widget_style(name: str) -> str:
    """Return the style of a widget, in light and dark."""
    roles = (
        f".film-widget {{ {role_variables(False)} }}\n"
        f".film-widget.dark {{ {role_variables(True)} }}\n"
    )
    rooms = (name, ROOM) if name == "film" else ("shared", name, ROOM)
    return (roles if name == "film" else "") + read_styles(*rooms)
