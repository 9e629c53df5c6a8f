"""The documents: their examples run, their names exist, their tables are what the code says."""
