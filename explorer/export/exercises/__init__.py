"""Questions that go with a site, the lines that answer them, and their marks."""
