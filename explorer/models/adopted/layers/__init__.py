"""Networks as data: the schema of layers, torch modules of it, and how foreign graphs are drawn."""
