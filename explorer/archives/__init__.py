"""Zip archives and NumPy's files of anybody: looked at first, then read in little memory.

`zips` opens an archive and judges its members, `npy` believes an array's header only where the size
agrees, `npz` joins both. Images, codes and runs are read through it.
"""
