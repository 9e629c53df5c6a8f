"""The made parts of README.md; `python -m tests.readme` writes them anew."""

import ast
import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
ROOMS = (
    ("explorer/datasets", "images"),
    ("explorer/models", "models"),
    ("explorer", "the run, and what everything stands on"),
    ("explorer/training", "training"),
    ("explorer/analysis", "analysis"),
    ("explorer/figures", "figures"),
    ("explorer/export", "export"),
    ("explorer/app", "the app"),
    ("explorer/app/cached", "the app's caches"),
    ("explorer/app/views", "the app's pages"),
    ("explorer/app/views/learn", "Learn"),
    ("explorer/app/views/train", "Train"),
    ("explorer/app/views/beta", "β lab"),
    ("explorer/app/views/collapse", "Collapse"),
    ("explorer/app/views/elbo", "ELBO"),
    ("explorer/app/views/models", "Models"),
    ("explorer/app/text", "the app's sentences"),
    ("explorer/app/components", "the app's browser side"),
    ("explorer/app/components/latent_map", "the latent map, in the browser"),
    ("explorer/app/components/lens", "the lens of the ELBO page, in the browser"),
)


def first_line(path: Path) -> str:
    """Return the sentence that a file says of itself first."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]
    for comment in re.findall(r"/\*\*(.*?)\*/", source, re.DOTALL):
        words = " ".join(re.sub(r"^\s*\*", "", line).strip() for line in comment.split("\n"))
        line = re.split(r"(?<=[.;])\s", words.strip())[0].rstrip(";")
        if not line.startswith("@"):
            return line
    return ""


def file_map() -> str:
    lines = []
    for folder, title in ROOMS:
        files = sorted([*(ROOT / folder).glob("*.py"), *(ROOT / folder).glob("*.js")])
        if not files:
            continue
        lines += ["", f"**{title}** (`{folder}/`)", ""]
        lines += [f"- `{path.name}` {first_line(path)}" for path in files]
    return "\n".join(lines).strip()


def models_table() -> str:
    lines = [
        "| name | images | network | latents | likelihood | test ELBO | KL |",
        "|---|---|---|---|---|---|---|",
    ]
    for folder in sorted((ROOT / "pretrained").glob("*/run.json")):
        info = json.loads(folder.read_text(encoding="utf-8"))
        model = tomllib.loads((folder.parent / "recipe.toml").read_text(encoding="utf-8"))["model"]
        result = info["results"].get("test") or info["results"]["all"]
        network = f"{model['network']} {'-'.join(str(units) for units in model['hidden'])}".strip()
        # A code without a density has a reconstruction, but neither KL nor ELBO.
        bound = f"{result['elbo']:.2f} | {result['kl']:.2f}" if "kl" in result else "none | none"
        lines.append(
            f"| `{folder.parent.name}` | {info['dataset']['name']} | {network} | "
            f"{info['latent']['dim']} | {model.get('likelihood', 'bernoulli')} | {bound} |"
        )
    return "\n".join(lines)


PARTS = {"file map": file_map, "models": models_table}


def filled(text: str) -> str:
    """Return README text with every made part as the files say now."""
    for name, make in PARTS.items():
        before, rest = text.split(f"<!-- {name} -->\n")
        after = rest[rest.index(f"<!-- end of {name} -->") :]
        text = f"{before}<!-- {name} -->\n{make()}\n{after}"
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
