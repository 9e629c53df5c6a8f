"""The Streamlit app: views place figures, components run in the browser; nothing is computed."""
