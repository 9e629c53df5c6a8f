"""`make bench`: every benchmark's table, one after the other. ARGS names some of them, or --quick.

Figures are ratios from interleaved runs; absolute times depend on the machine and its mood.
"""

import importlib
import pkgutil
import sys

import tests.benchmarks as folder
from explorer.training.machine import TRAINING_SPIN, set_spin_count


def main() -> None:
    # Read when torch loads; what the command line takes on a machine that has nothing else to do.
    set_spin_count(TRAINING_SPIN)
    names = sorted(
        module.name.removeprefix("bench_")
        for module in pkgutil.iter_modules(folder.__path__)
        if module.name.startswith("bench_")
    )
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or names
    if unknown := set(wanted) - set(names):
        sys.exit(f"There is no benchmark {sorted(unknown)[0]!r}; there are {', '.join(names)}.")
    for name in wanted:
        print(f"\n## {name}\n", flush=True)
        importlib.import_module(f"tests.benchmarks.bench_{name}").main(quick="--quick" in sys.argv)


if __name__ == "__main__":
    main()
