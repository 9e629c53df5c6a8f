"""The JSON Schema of a run directory, and what it says of one field."""

import json
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA_FILE = Path(__file__).with_name("run.schema.json")


@cache
def read_schema() -> dict[str, Any]:
    """Return the schema as it is shipped."""
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def describe_field(name: str) -> str | None:
    """Return what a field of run.json must be, such as of "status.step"; None of one unknown.

    >>> describe_field("status.step")
    'a whole number from 0'
    """
    node: Any = read_schema()["$defs"]["run"]
    for part in name.split("."):
        node = _resolve(node)
        node = node.get("properties", {}).get(part) or node.get("additionalProperties")
        if not isinstance(node, dict):
            return None
    return node.get("description") or _resolve(node).get("description")


def _resolve(node: Any) -> Any:
    """Return the table that a field's schema means: what it refers to, or its case beside null."""
    if "anyOf" in node:
        node = node["anyOf"][-1]
    return read_schema()["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
