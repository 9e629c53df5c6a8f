"""The Collapse page and its parts."""
