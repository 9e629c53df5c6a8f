"""The run directory: the one interface between training and everything that looks at a model.

`run.py` reads one, `writer.py` writes one; every file has one writer and is replaced whole.
"""
