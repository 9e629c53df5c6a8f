"""Each command of the command line: its options, and what it does with them.

It reads them, calls the library and prints the result. One module a noun. With --json the last
line of standard output is one JSON object. Imports are made where they are used, so that `--help`
loads none of them.
"""
