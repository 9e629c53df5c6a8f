"""The callbacks are imported when one is asked for, and their libraries with them."""

import subprocess
import sys


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_naming_them_loads_neither_torch_nor_lightning():
    code = (
        "import sys, explorer.callbacks as callbacks\n"
        "print(callbacks.__all__, {'torch', 'lightning'} & set(sys.modules))"
    )
    assert run(code) == "['LightningRun', 'ScviRun'] set()"


def test_without_lightning_a_sentence_says_what_to_install():
    code = (
        "import sys; sys.modules['lightning'] = None\n"
        "from explorer import ExplorerError\n"
        "from explorer.callbacks import LightningRun\n"
        "try: LightningRun('run', 2)\n"
        "except ExplorerError as error: print(error)"
    )
    assert run(code) == "This callback needs Lightning: pip install lightning"
