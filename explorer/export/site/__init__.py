"""Runs → a folder of static pages, which any web server or a double click opens."""
