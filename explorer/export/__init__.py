"""Runs as something to take along: browser payloads, single pages, tables."""
