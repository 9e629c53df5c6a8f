"""The app as visitors use it, in headless Chromium, page by page."""
