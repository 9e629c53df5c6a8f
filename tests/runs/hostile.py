"""Run files as anybody may have written or damaged them: seeded variants of a good run."""

import json
from typing import Any

import numpy as np

from explorer.runs.info import DatasetInfo
from explorer.runs.run import Run
from explorer.runs.writer import RunWriter

DEEP, ENDLESS = "@deep@", "@endless@"
TEXTS = {
    DEEP: "[" * 3000 + "]" * 3000,
    ENDLESS: "1" + "0" * 6000,
    "@nan@": "NaN",
    "@infinity@": "1e999",
}
"""What json.dumps does not write, by the word that stands for it."""
WEIRD: list[Any] = [
    None, True, False, 0, -1, 1, 2, 3.5, -1e308, 10**30, 2**53, -(2**70), "", "x", "x" * 5000,
    "1", "\ud800", "a\nb", "<img src=x>", [], [1], [None], ["x", 2], [[]], {}, {"a": 1}, {"": {}},
    [1e300, -1e300], [0.5, 0.25, 0.125], *TEXTS,
]  # fmt: skip


def make_run(folder):
    """Write a good run: log points of two splits, three frames, codes, results."""
    rng, dataset = np.random.default_rng(0), DatasetInfo("own", (1, 4, 4), ("a", "b"), "f")
    with RunWriter(folder, latent_dim=2, dataset=dataset, planned_steps=3) as writer:
        for step in (1, 2, 3):
            mean, logvar = rng.normal(size=(40, 2)), rng.normal(size=(40, 2)) - 2
            for split in ("train", "validation"):
                writer.log(
                    step, mean=mean, logvar=logvar, reconstruction=5.0, split=split, images=step
                )
            pictures = rng.integers(0, 256, (3, 1, 4, 4), dtype=np.uint8)
            labels = rng.integers(0, 2, 40)
            writer.snapshot(
                step,
                mean,
                logvar,
                labels=labels,
                inputs=pictures,
                reconstructions=pictures,
                samples=pictures,
            )
        writer.save_codes(mean, logvar, labels)
        figures = {"elbo": -6.0, "reconstruction": 5.0, "kl": 1.0, "kl_per_dim": [0.5, 0.5]}
        writer.set_results({"test": figures}, {"seconds": 1.0, "beta": 1.0})
    Run(folder).rename("A good run")
    (folder / "control.json").write_text(
        json.dumps([{"number": 1, "action": "beta", "value": 2.0}]), encoding="utf-8"
    )
    return Run(folder)


def write_json(values):
    """Return JSON in bytes, with what stands for something else replaced."""
    text = json.dumps(values)
    for word, meant in TEXTS.items():
        text = text.replace(json.dumps(word), meant)
    return text.encode()


def change_values(values, rng):
    """Change, add or remove one value of a JSON table or list, at any depth."""
    places = []

    def visit(table):
        for key in list(table) if isinstance(table, dict) else range(len(table)):
            places.append((table, key))
            if isinstance(table[key], dict | list):
                visit(table[key])

    if isinstance(values, dict | list):
        visit(values)
    if not places:
        return pick(rng)
    parent, key = places[rng.integers(len(places))]
    action = rng.random()
    if action < 0.2:
        del parent[key]
    elif action < 0.3 and isinstance(parent, dict):
        parent[str(pick(rng))[:40]] = pick(rng)
    else:
        parent[key] = pick(rng)
    return values


def pick(rng):
    return WEIRD[rng.integers(len(WEIRD))]


def change_bytes(content, rng):
    """Cut, flip or repeat some bytes."""
    data = bytearray(content)
    action = rng.random()
    if action < 0.4:
        return bytes(data[: rng.integers(0, len(data) + 1)])
    if action < 0.5:
        return bytes(data) * 2
    for place in rng.integers(0, len(data), 3):
        data[place] = rng.integers(0, 256)
    return bytes(data)


def change_arrays(path, rng):
    """Change one array of an .npz: its values, kind or shape; or remove it."""
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    name = list(arrays)[rng.integers(len(arrays))]
    array = arrays[name]
    changes = [
        lambda: None,
        lambda: array.astype(str),
        lambda: array.astype(complex),
        lambda: array.astype(np.float64) * 1e300,
        lambda: array.astype(np.float32) + np.nan,
        lambda: array.astype(np.float32) - 0.5,
        lambda: array.astype(np.int64) - 10**12,
        lambda: array.astype(bool),
        lambda: np.array([{}] * len(array), object),
        lambda: np.zeros(array.shape, [("a", int), ("b", "U3")]),
        lambda: array[:0],
        lambda: array[:-1],
        lambda: array[0],
        lambda: array[..., None],
        lambda: array.ravel(),
        lambda: np.array(1.0),
        lambda: np.zeros((4, 0, 3)),
        lambda: np.repeat(array, 2, -1),
        lambda: np.zeros(array.shape, "datetime64[s]"),
    ]
    changed = changes[rng.integers(len(changes))]()
    if changed is None:
        del arrays[name]
    else:
        arrays[name] = changed
    np.savez(path, **arrays)


def damage(run, rng):
    """Change one file of a good run; return its name."""
    files = ["run.json"] * 8 + ["metrics.jsonl"] * 4 + ["codes.npz"] * 3 + ["viewer.json"]
    files += ["snapshots/000000003.npz"] * 3 + ["control.json", "snapshots"]
    name = files[rng.integers(len(files))]
    path = run.path / name
    if name == "snapshots":
        odd = ("²", "٣", "00x", "-1", "9" * 200, "3", "0000000003")
        (path / f"{odd[rng.integers(len(odd))]}.npz").write_bytes(b"")
    elif rng.random() < 0.15:
        path.write_bytes(change_bytes(path.read_bytes(), rng))
    elif name.endswith(".npz"):
        change_arrays(path, rng)
    elif name == "metrics.jsonl":
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for _ in range(rng.integers(1, 4)):
            lines = change_values(lines, rng)
        lines = lines if isinstance(lines, list) else [lines]
        path.write_bytes(b"".join(write_json(line) + b"\n" for line in lines))
    else:
        values = json.loads(path.read_text(encoding="utf-8"))
        for _ in range(rng.integers(1, 3)):
            values = change_values(values, rng)
        path.write_bytes(write_json(values))
    return name
