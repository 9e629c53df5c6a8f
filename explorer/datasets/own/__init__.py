"""Your own images: read from folders, archives, arrays and tables, and kept as data sets."""
