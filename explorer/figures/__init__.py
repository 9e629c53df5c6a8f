"""Figures: arrays in, Plotly figures or PNG bytes out. No torch, no Streamlit, no files."""
