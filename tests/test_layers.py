"""What the import contracts in pyproject.toml cannot say: what starts without what it needs not."""

import ast
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

import explorer
from explorer.adopting.files import ModelFiles
from explorer.adopting.told import Told
from tests.browser.conftest import Server
from tests.models.adopted.onnx_writer import digits_decoder, digits_encoder
from tests.visiting import Visitor

PACKAGE = Path(explorer.__file__).parent
ABOVE_THE_CORE = {"app", "cli", "commands", "figures", "export"}
EXPORTED = [
    "Config",
    "ExplorerError",
    "RunWriter",
    "adopt",
    "default_config",
    "diagnose",
    "diagnose_codes",
    "lens",
    "load_dataset",
    "open_run",
    "read_images",
    "replay",
    "runs_folder",
    "show",
    "timeline",
    "train",
]


def modules():
    """Yield every module's dotted name and its room, the façade and the doors left out."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",) and parts[-1] != "__main__" and parts[0] != "_shipped":
            yield ".".join(["explorer", *parts]).removesuffix(".__init__"), parts[0]


def block(libraries):
    """Return code after which importing any of `libraries` fails."""
    return (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {set(libraries)!r}:\n"
        "            raise ImportError(f'{name} is blocked in this test')\n"
        "sys.meta_path.insert(0, Blocked())\n"
    )


def run_blocked(libraries, code):
    """Run code in a fresh interpreter in which importing any of `libraries` fails."""
    command = [sys.executable, "-c", block(libraries) + code]
    answer = subprocess.run(
        command, capture_output=True, text=True, cwd=PACKAGE.parent, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def test_the_core_runs_without_streamlit():
    names = [name for name, room in modules() if room not in ABOVE_THE_CORE]
    assert {"explorer.runs.run", "explorer.training.loop", "explorer.datasets"} <= set(names)
    code = (
        f"import importlib; [importlib.import_module(name) for name in {names!r}]\n"
        "import sys; print('streamlit' in sys.modules)"
    )
    assert run_blocked({"streamlit"}, code) == "False"


def test_the_session_is_kept_by_the_session_and_the_parts_alone():
    # Views name what they keep (`app/parts/kept.py`), so that it has one type and one place.
    app = PACKAGE / "app"
    allowed = {app / "session.py", *(app / "parts").rglob("*.py")}
    users = {
        path
        for path in app.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if "session_state" in {getattr(node, field, None) for field in ("attr", "id", "name")}
    }
    assert app / "session.py" in users
    assert sorted(path.relative_to(app).as_posix() for path in users - allowed) == []


def test_nothing_outside_models_asks_what_a_model_a_prior_or_a_likelihood_is():
    # They answer for themselves, and what is known before torch is loaded stands in `facts.py`.
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        # The prior of a loss that somebody pasted is a name in their code, and no model's.
        is_pasted = place.parts[:2] == ("analysis", "loss")
        if place.parts[0] not in ("models", "runs", "config", "recipes.py") and not is_pasted:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += [f"{place}:{line}" for line in find_branches(tree, find_classes(tree))]
    assert found == []


DOORS = {
    "explorer": {"load_dataset", "open_run", "runs_folder"},
    "explorer.datasets": {"load_dataset", "is_available", "image_shape", "opens_at_once"},
    "explorer.datasets.own.store": {"find_own", "list_own", "load_own", "keep_images"},
    "explorer.runs.images": {"find_images_of", "may_be_at_hand"},
    "explorer.runs.store": {"RunStore", "find_run", "list_runs", "open_run", "pretrained_store"},
    "explorer.runs.sweeps": {"list_sweeps"},
}
"""What the library opens for its visitor, and no page by itself."""


def test_pages_ask_the_library_alone_for_runs_and_images():
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {name.name}"
        for path in sorted((PACKAGE / "app").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name in DOORS.get(node.module or "", ())
    ]
    assert found == []


ASKED = ("prior", "likelihood", "latent", "latent_kind", "network", "model.kind")
"""What may not be compared with a name outside of models, runs, the config and its recipes."""


def find_classes(tree):
    """Return what a module imports from the models; the layers of a network are none."""
    layers = ("explorer.models.networks", "explorer.models.adopted.layers")
    return {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("explorer.models")
        if not (node.module or "").startswith(layers)
        for name in node.names
    }


def find_branches(tree, classes):
    """Yield the lines that branch on a class of models, or on the name of a part of one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            asked = {getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(node.args[1])}
            if asked & classes:
                yield node.lineno
        elif isinstance(node, ast.Compare):
            parts = list(ast.walk(node))
            has_word = any(isinstance(p, ast.Constant) and isinstance(p.value, str) for p in parts)
            # Of `model.likelihood.scores` what is asked is `scores`, which the likelihood answers.
            inner = {id(p.value) for p in parts if isinstance(p, ast.Attribute | ast.Subscript)}
            whole = [p for p in parts if id(p) not in inner]
            names = [ast.unparse(p) for p in whole if isinstance(p, ast.Attribute | ast.Subscript)]
            plain = [name.replace("']", "").replace("['", ".") for name in names]
            ends = tuple(f".{what}{more}" for what in ASKED for more in ("", ".name"))
            sides = (node.left, *node.comparators)
            is_alone = any(isinstance(side, ast.Name) and side.id in ASKED for side in sides)
            if has_word and (is_alone or any(name.endswith(ends) for name in plain)):
                yield node.lineno


@pytest.mark.parametrize(
    "line",
    [
        "isinstance(model.prior, MixturePrior)", "isinstance(x, (int, priors.MixturePrior))",
        "config.prior == 'mixture'", "settings['prior'] != 'standard'",
        "'bernoulli' in (model.likelihood,)", "model.likelihood.name in ('bernoulli', 'laplace')",
        "run.info.model.kind == 'config'", "model.latent != 'gaussian'",
        "info.latent_kind == 'point'", "likelihood == 'gaussian'", "network != 'mlp'",
        "config.model.network in ('mlp', 'linear')",
    ],
)  # fmt: skip
def test_a_branch_is_found(line):
    known = find_classes(ast.parse("from explorer.models.priors import MixturePrior"))
    assert list(find_branches(ast.parse(line), known)) == [1]


def test_a_question_to_a_likelihood_is_no_branch():
    assert list(find_branches(ast.parse("model.likelihood.scores == 'bytes'"), set())) == []


def test_figures_are_drawn_without_torch():
    names = [name for name, room in modules() if room == "figures"]
    assert len(names) > 10
    code = f"import importlib; [importlib.import_module(name) for name in {names!r}]"
    run_blocked({"torch", "torchvision", "streamlit"}, code)


PAGES = ("", "learn", "train", "beta", "collapse", "elbo", "models", "runs")
HEAVY = {"scipy", "sklearn", "pandas", "pyarrow", "sympy"}
"""A third of a server's memory, were they loaded; PyTorch's compiler is known by its SymPy."""


def test_the_pages_load_nothing_that_only_fits_and_tables_need():
    pages = ("explorer.app.main", "explorer.app.server", "explorer.app.views.explore")
    names = [
        name
        for name, room in modules()
        if room == "app" and name not in pages and not name.endswith(".page")
    ]
    assert len(names) > 80
    code = f"import importlib; [importlib.import_module(name) for name in {names!r}]"
    run_blocked(HEAVY, code)


def test_a_server_shows_every_page_without_them(tmp_path):
    # Python reads a file of this name before anything else.
    # scikit-learn, which cannot do without SciPy, may be asked where its files are.
    (tmp_path / "sitecustomize.py").write_text(block(HEAVY - {"sklearn"}), encoding="utf-8")
    (tmp_path / "runs").mkdir()
    places = os.pathsep.join([str(tmp_path), str(PACKAGE.parent)])
    server = Server(
        tmp_path / "runs", PYTHONPATH=places, LATENT_EXPLORER_CACHE=str(tmp_path / "cache")
    )
    try:
        with Visitor(server.url) as visitor:
            turns = {page: visitor.turn(page) for page in PAGES}
    finally:
        server.stop()
    assert {page: turn.errors for page, turn in turns.items()} == {page: [] for page in PAGES}
    assert "explorer-rows" in " ".join(turns["collapse"].words), "a table is among what is shown"


def test_a_server_begins_without_the_pages_caches():
    """Streamlit warns on the terminal of each that is made before its runtime."""
    code = "import sys, explorer.app.server; assert 'explorer.app.cached' not in sys.modules"
    run_blocked([], code)


def test_a_map_an_exact_posterior_a_training_and_an_adoption_are_computed_without_them(tmp_path):
    files = ("enc.onnx", digits_encoder()), ("dec.onnx", digits_decoder())
    encoder, decoder = (tmp_path / name for name, _ in files)
    for name, content in files:
        (tmp_path / name).write_bytes(content)
    given = asdict(ModelFiles(str(encoder), str(decoder)))
    told = asdict(Told("digits", "bernoulli", binarise=True))
    job = {"files": given, "told": told, "data_root": str(tmp_path), "folder": str(tmp_path)}
    code = (
        "from explorer.analysis.teaching.players import slow_motion\n"
        "from explorer.analysis.inference.exact import infer_posterior\n"
        "from explorer.elbo.encoding import draw_targets\n"
        "from explorer.export.payload import build_payload\n"
        "from explorer.export.pictures import find_pictures\n"
        "from explorer.jobs.worker import warm_up\n"
        "from explorer.library import Library\n"
        "run = Library().find('digits-2d')\n"
        "images = Library().images_of(run)\n"
        "payload = build_payload(run, find_pictures(run, images), {}, 'en')\n"
        "x = draw_targets(run.model, images.split('test').images[:1])\n"
        "print(len(payload) > 100_000, infer_posterior(run.model, x).log_px[0] < 0)\n"
        "motion = slow_motion(run.model, x)\n"
        "warm_up()\n"
        "print(motion.after < motion.objective)\n"
        "from explorer.adopting.worker import work\n"
        f"print(work({job!r}, lambda **told: None, lambda: False)['question'] == '')"
    )
    # scikit-learn, which cannot do without SciPy, may be asked where its files are.
    assert run_blocked(HEAVY - {"sklearn"}, code).split() == ["True"] * 4


def test_importing_the_package_and_the_run_is_light():
    code = (
        "import explorer, sys\n"
        "from explorer.runs import control, run, store, writer\n"
        "explorer.open_run, explorer.Config, explorer.RunWriter\n"
        "heavy = {'torch', 'torchvision', 'sklearn', 'plotly', 'scipy', 'streamlit'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run_blocked(set(), code) == "[]"


def test_the_exported_names_are_these():
    # A name that goes, or comes, is a change that users notice: CHANGELOG.md tells it.
    assert explorer.__all__ == EXPORTED


def test_every_exported_name_is_there():
    for name in explorer.__all__:
        assert getattr(explorer, name) is not None
    assert set(explorer.__all__) <= set(dir(explorer))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = explorer.nonsense
