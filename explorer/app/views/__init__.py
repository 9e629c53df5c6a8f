"""One file per page, and `watch.py` for the run that Train follows."""
