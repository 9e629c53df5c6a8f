"""The app as others serve it: installed from a wheel, behind nginx, in a Jupyter server."""
