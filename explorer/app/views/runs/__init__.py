"""The Runs page: what was trained, as a desk."""
