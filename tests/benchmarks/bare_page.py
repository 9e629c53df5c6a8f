"""What the first frame is held against: a bare Streamlit page with one canvas component."""

import streamlit as st
from streamlit.components.v2 import component

SCRIPT = """
export default function mount({ parentElement }) {
  const canvas = document.createElement("canvas");
  canvas.className = "bare";
  canvas.getContext("2d").fillRect(20, 20, 200, 100);
  parentElement.append(canvas);
}
"""


@st.cache_resource
def make_canvas():
    return component("bare_canvas", js=SCRIPT)


st.title("A canvas")
make_canvas()(key="canvas", data={"is": "bare"})
