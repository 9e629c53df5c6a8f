"""Anyone's codes, from any file: read with bounded memory, weighed before they are believed.

`reading.read_any_codes` is the door. `archive`, `tables` and `cells` open files and give `Array`s
that are read row by row; `naming` says what an array is by its name, `spread` weighs whether a
second array is what it is called, `axes` what the axes of grids and sequences are, `labels` and
`gaps` what is said of labels and of NaN. `numbers` takes tensors of any library.
"""
