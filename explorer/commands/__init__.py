"""What each command of the command line does: read options, call the library, print the result.

One module a noun. With --json the last line of standard output is one JSON object. Imports are
made where they are used, so that `--help` loads none of them.
"""
