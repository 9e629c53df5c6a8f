"""Somebody else's VAE becomes a run: read, tested, measured on its images and written."""
