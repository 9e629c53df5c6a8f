"""Chapters of Learn for a page without a server: words, formulas, and figures over a control."""
