"""What the server keeps of the Collapse page's own figures between reruns."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.analysis.collapse.own_codes import (
    LabelScore,
    OwnCodes,
    read_codes,
    score_labels,
    thin_codes,
)


@dataclass(frozen=True)
class OwnVerdict:
    """A visitor's codes, their diagnosis as plain values, and how well they tell their labels."""

    codes: OwnCodes
    values: dict[str, Any]
    score: LabelScore | None


LARGEST_UPLOAD = 200_000_000
"""Bytes of arrays that a visitor's file may unpack to: others want to use the server too."""


@st.cache_resource(show_spinner=False, max_entries=4)
def judge_codes(content: bytes, name: str) -> OwnVerdict:
    """Return the verdict on an .npz file of codes; ExplorerError where it is none.

    Of very many codes some are judged, evenly spread.
    """
    from explorer.analysis.collapse.diagnose import diagnose_codes

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "codes.npz"
        path.write_bytes(content)
        codes = read_codes(path, name, LARGEST_UPLOAD)
    values = diagnose_codes(*thin_codes(codes)).to_dict()
    return OwnVerdict(codes, values, score_labels(codes))
