"""The command line: `latent-explorer app | train | fit | adopt | evaluate | diagnose | report | …`.

argparse, because `--help` must answer in well under half a second and the standard library's
parser costs none of it. Commands import what they need when they run. With --json the last line
of standard output is one JSON object.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from explorer.commands.adopt import adopt_run, replay_run
from explorer.commands.app import open_app
from explorer.commands.check import check_folder
from explorer.commands.data import show_data
from explorer.commands.diagnose import diagnose_run
from explorer.commands.disentangle import score_disentangled
from explorer.commands.export import export_run
from explorer.commands.grade import grade_answers
from explorer.commands.loss import tell_beta
from explorer.commands.output import spell_what_is_missing
from explorer.commands.report import make_report
from explorer.commands.runs import evaluate_run, list_runs
from explorer.commands.site import build_pages
from explorer.commands.training import fit_run, train_run, train_sweep
from explorer.config import DEVICES, FITS, LIKELIHOOD_NAMES, NETWORK_NAMES
from explorer.errors import ExplorerError, shorten
from explorer.paths import runs_folder
from explorer.text import LANGUAGES
from explorer.training.machine import choose_spin_count, set_spin_count


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 for what the user can mend."""
    spell_what_is_missing()
    options = build_parser().parse_args(arguments)
    set_spin_count(choose_spin_count(may_choose_threads(options)))
    try:
        code: int | None = options.command(options)
    except ExplorerError as error:
        print(f"latent-explorer: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("latent-explorer: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:  # A full disk, a name that no file can have: the user's to mend.
        place = f": {shorten(str(error.filename), 200)}" if error.filename else ""
        print(f"latent-explorer: {error.strerror or error}{place}.", file=sys.stderr)
        return 2
    return code or 0


def may_choose_threads(options: argparse.Namespace) -> bool:
    """Tell a training whose model may be one that learns the same on one thread and two."""
    changed = {"config", "network", "likelihood"} & vars(options).keys()
    return options.command is train_run and not changed


def add_visitors(app: argparse.ArgumentParser) -> None:
    """Add what decides who may use a server, and how much of it."""
    modes = app.add_mutually_exclusive_group()
    modes.add_argument(
        "--classroom", action="store_true", help="each visitor has runs of their own; one leads"
    )
    modes.add_argument(
        "--public", action="store_true", help="each visitor has runs of their own; nobody leads"
    )
    app.add_argument(
        "--trust-network", action="store_true",
        help="without a mode: let everybody who reaches --host do all that you can do",
    )  # fmt: skip
    app.add_argument("--code", metavar="WORD", help="what a visitor has to say to come in")
    app.add_argument(
        "--lecturer", metavar="WORD", help="what the lecturer says (default: made and printed)"
    )
    app.add_argument(
        "--uploads", action=argparse.BooleanOptionalAction, default=None,
        help="whether visitors hand over files (default: in a classroom)",
    )  # fmt: skip
    app.add_argument("--workers", type=int, metavar="N", help="trainings at a time")
    app.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster that trains instead")
    app.add_argument("--limits", metavar="FILE", help="a TOML file with a table [limits]")
    app.add_argument(
        "--limit", metavar="NAME=N", action="append", default=[], help="one limit, over the file's"
    )


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="latent-explorer",
        description="Look inside a variational autoencoder, live, and see where its ELBO goes.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="end with one JSON object")
    data_root = argparse.ArgumentParser(add_help=False)
    data_root.add_argument("--data-root", metavar="DIR", help="where torchvision data sets lie")

    app = commands.add_parser("app", help="open the explorer in the browser")
    app.add_argument("--port", type=int, default=8501)
    app.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback)")
    app.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="a name that this server is called by, all others being refused; may be repeated",
    )
    app.add_argument(
        "--base-path", metavar="/PATH", default="", help="where below its host a proxy has it"
    )
    app.add_argument("--no-browser", action="store_true", help="start without opening a browser")
    app.add_argument(
        "--runs", metavar="DIR", help=f"folder of your runs (default: {runs_folder()})"
    )
    app.add_argument("--data-root", metavar="DIR", help="where torchvision data sets lie")
    add_visitors(app)
    app.set_defaults(command=open_app)

    train = commands.add_parser(
        "train",
        help="train a model and write its run directory",
        parents=[as_json, data_root],
        argument_default=argparse.SUPPRESS,
    )
    train.add_argument(
        "--config", metavar="FILE", help="a run's config in TOML; options override it"
    )
    train.add_argument("--dataset", metavar="D", help="digits, strokes, shapes, mnist, …")
    train.add_argument("--latent-dim", type=int, metavar="K")
    train.add_argument("--beta", type=float, metavar="B")
    train.add_argument("--likelihood", choices=LIKELIHOOD_NAMES)
    train.add_argument("--network", choices=NETWORK_NAMES)
    train.add_argument("--batch-size", type=int, metavar="B")
    budget = train.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, metavar="S", help="time budget (default: 30)")
    budget.add_argument("--epochs", type=float, metavar="E")
    budget.add_argument("--steps", type=int, metavar="T")
    train.add_argument("--seed", type=int, metavar="N")
    train.add_argument("--device", choices=DEVICES)
    train.add_argument("--out", metavar="DIR", help="the run directory (default: a new one)")
    train.add_argument("--overwrite", action="store_true", help="replace an earlier run at --out")
    train.set_defaults(command=train_run)

    fit = commands.add_parser(
        "fit",
        help="fit a linear model at once: probabilistic PCA, factor analysis, ICA",
        parents=[as_json, data_root],
        argument_default=argparse.SUPPRESS,
    )
    fit.add_argument("--model", choices=tuple(FITS), required=True)
    fit.add_argument("--dataset", metavar="D", help="digits (default), strokes, mnist, …")
    fit.add_argument("--latent-dim", type=int, metavar="K", help="default: 2")
    fit.add_argument("--seed", type=int, metavar="N")
    fit.add_argument("--out", metavar="DIR", help="the run directory (default: a new one)")
    fit.add_argument("--overwrite", action="store_true", help="replace an earlier run at --out")
    fit.set_defaults(command=fit_run)

    foreign = argparse.ArgumentParser(add_help=False)
    foreign.add_argument(
        "--images",
        metavar="D",
        required=True,
        help="a data set's name, or a folder, .zip, .npz or .parquet of pictures",
    )
    foreign.add_argument(
        "--likelihood",
        metavar="L",
        required=True,
        help="that the loss meant: bernoulli, continuous-bernoulli, gaussian, laplace, …",
    )
    foreign.add_argument(
        "--sigma2",
        type=float,
        metavar="V",
        help="a pixel's variance in the decoder's units: gaussian, laplace, discretized-logistic",
    )
    foreign.add_argument("--binarise", action="store_true", help="pixels were drawn 0 or 1")
    foreign.add_argument("--beta", type=float, metavar="B", help="β of its training, where known")
    foreign.add_argument(
        "--reading",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="what is known: layout, scale, shift, fit, heads, spread, output, output_layout",
    )
    foreign.add_argument("--name", metavar="N", help="what to call it")
    foreign.add_argument("--out", metavar="DIR", required=True, help="the run directory")
    foreign.add_argument("--overwrite", action="store_true", help="replace an earlier run at --out")

    adopt = commands.add_parser(
        "adopt",
        help="make a run of a VAE that was trained elsewhere",
        parents=[as_json, data_root, foreign],
    )
    adopt.add_argument("--encoder", metavar="FILE", help="an ONNX file")
    adopt.add_argument("--decoder", metavar="FILE", help="an ONNX file")
    adopt.add_argument(
        "--weights", metavar="FILE", help="in their place: safetensors, or a state_dict (.pt)"
    )
    adopt.add_argument(
        "--layers", metavar="FILE", help="of the weights (default: layers.json beside them)"
    )
    adopt.set_defaults(command=adopt_run)

    replay = commands.add_parser(
        "replay",
        help="make one run with its film of checkpoints of a VAE that was trained elsewhere",
        parents=[as_json, data_root, foreign],
    )
    replay.add_argument(
        "--checkpoints",
        nargs="+",
        required=True,
        metavar="STEP=FILE",
        help="weights: safetensors, or a state_dict (.pt)",
    )
    replay.add_argument(
        "--layers", metavar="FILE", required=True, help="the layers.json of all of them"
    )
    replay.add_argument(
        "--betas", type=float, nargs="+", metavar="B", help="β of each checkpoint, where it changed"
    )
    replay.set_defaults(command=replay_run)

    sweep = commands.add_parser(
        "sweep",
        help="train a grid of models, one run directory each",
        parents=[as_json, data_root],
        argument_default=argparse.SUPPRESS,
    )
    sweep.add_argument("--config", metavar="FILE", help="a run's config in TOML to start from")
    sweep.add_argument("--dataset", metavar="D", help="digits, strokes, shapes, mnist, …")
    sweep.add_argument("--beta", type=float, nargs="+", metavar="B", dest="betas")
    sweep.add_argument("--latent-dim", type=int, nargs="+", metavar="K", dest="latent_dims")
    sweep.add_argument("--seeds", type=int, nargs="+", metavar="N")
    sweep.add_argument("--likelihood", choices=LIKELIHOOD_NAMES)
    sweep.add_argument("--network", choices=NETWORK_NAMES)
    sweep.add_argument("--batch-size", type=int, metavar="B")
    budget = sweep.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, metavar="S", help="of each run (default: 30)")
    budget.add_argument("--epochs", type=float, metavar="E")
    budget.add_argument("--steps", type=int, metavar="T")
    sweep.add_argument("--device", choices=DEVICES)
    sweep.add_argument("--out", metavar="DIR", required=True, help="the sweep's folder")
    sweep.add_argument("--overwrite", action="store_true", help="replace an earlier sweep at --out")
    where = sweep.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, metavar="N", help="local processes (default: cores)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster that is there")
    where.add_argument(
        "--together", action="store_true", help="train all β as one family in one process"
    )
    sweep.set_defaults(command=train_sweep)

    evaluate = commands.add_parser(
        "evaluate", help="measure the ELBO of a run", parents=[as_json, data_root]
    )
    evaluate.add_argument("run", metavar="RUN", help="a pretrained name, a run's id or directory")
    evaluate.add_argument("--dataset", metavar="D", help="other images than those it was made from")
    evaluate.add_argument(
        "--split", choices=("train", "validation", "test", "all"), help="default: as the run has it"
    )
    evaluate.add_argument("--limit", type=int, metavar="N", help="use the first N images")
    evaluate.add_argument(
        "--importance-samples", type=int, metavar="K", help="also estimate log p(x) with K samples"
    )
    evaluate.add_argument("--seed", type=int, default=0)
    evaluate.set_defaults(command=evaluate_run)

    beta = commands.add_parser(
        "beta", help="say which β a pasted loss stands for", parents=[as_json]
    )
    beta.add_argument("loss", metavar="LOSS", help="the lines as they stand, a .py file, or -")
    beta.add_argument(
        "--shape", type=int, nargs="+", default=[1, 28, 28], metavar="N",
        help="C H W of your images, or the number of features (default: 1 28 28)",
    )  # fmt: skip
    beta.add_argument("--latents", type=int, default=20, metavar="K")
    beta.add_argument("--batch-size", type=int, metavar="B")
    beta.add_argument("--range", type=float, nargs=2, default=[0.0, 1.0], metavar=("LOW", "HIGH"))
    beta.add_argument("--standardised", action="store_true", help="mean 0 and variance 1")
    beta.add_argument("--sigma2", type=float, help="the squared error per pixel that you reach")
    beta.add_argument("--set", action="append", metavar="NAME=NUMBER", help="a name's value")
    beta.add_argument(
        "--correct", action="append", metavar="FIELD=VALUE",
        help="what was understood wrongly, or not at all, such as kl_latents=mean",
    )  # fmt: skip
    beta.set_defaults(command=tell_beta)

    diagnose = commands.add_parser(
        "diagnose", help="find collapsed latent dimensions", parents=[as_json, data_root]
    )
    diagnose.add_argument(
        "run", metavar="RUN", nargs="?", help="a run or a sweep, unless --codes is given"
    )
    diagnose.add_argument(
        "--codes", metavar="FILE", help="anyone's codes: .npz, .npy, .parquet, .csv or .h5ad"
    )
    diagnose.add_argument(
        "--latents",
        metavar="FILE",
        nargs="+",
        help="latents for diffusion, one file or two: mean and std per channel, scaling_factor",
    )
    diagnose.add_argument(
        "--images", metavar="D", help="with --latents: images whose spectrum stands beside theirs"
    )
    diagnose.add_argument(
        "--spread",
        metavar="WHAT",
        help="what the second array is: logvar, log_std, std, variance or softplus",
    )
    diagnose.add_argument(
        "--axes", metavar="NCHW", help="what the axes of grids are: N items, C or K latents"
    )
    diagnose.add_argument("--per", choices=("channel", "position"), default="channel")
    diagnose.add_argument(
        "--use",
        choices=("sampling", "diffusion", "embedding"),
        help="what the codes are for, on which it depends whether they must follow the prior",
    )
    diagnose.add_argument("--dataset", metavar="D")
    diagnose.add_argument("--seed", type=int, default=0)
    diagnose.set_defaults(command=diagnose_run)

    sheet = commands.add_parser(
        "report",
        help="write the answer on a run or codes as one page to send",
        parents=[as_json, data_root],
    )
    sheet.add_argument(
        "run", metavar="RUN", nargs="?", help="a run or a sweep, unless --codes is given"
    )
    sheet.add_argument(
        "--codes", metavar="FILE", help="anyone's codes: .npz, .npy, .parquet, .csv or .h5ad"
    )
    sheet.add_argument("--out", metavar="FILE", required=True, help="the page, such as report.html")
    sheet.add_argument(
        "--beta", type=float, metavar="B", help="β of its training, for a run that does not tell it"
    )
    sheet.add_argument("--language", choices=tuple(LANGUAGES), default="en")
    sheet.add_argument("--overwrite", action="store_true", help="replace an earlier page at --out")
    sheet.add_argument("--seed", type=int, default=0)
    sheet.set_defaults(command=make_report)

    page = commands.add_parser(
        "export",
        help="save a run as one HTML file that opens offline",
        parents=[as_json, data_root],
    )
    page.add_argument("run", metavar="RUN", help="a run's id, or its folder")
    page.add_argument("--out", metavar="FILE", help="the file to write (default: RUN.html)")
    page.add_argument("--overwrite", action="store_true", help="replace an earlier file")
    page.add_argument("--language", choices=tuple(LANGUAGES), default="en")
    page.set_defaults(command=export_run)

    site = commands.add_parser(
        "site",
        help="write a folder of static pages: maps, reports, a sweep, images under the lens",
        parents=[as_json, data_root],
    )
    site.add_argument("runs", metavar="RUN", nargs="*", help="runs, each with pages of its own")
    site.add_argument("--out", metavar="DIR", required=True, help="the folder to write")
    site.add_argument(
        "--sweep", metavar="NAME", action="append", default=[], dest="sweeps",
        help="a sweep over β, as one page; may be repeated",
    )  # fmt: skip
    site.add_argument(
        "--lens", metavar="N", type=int, default=0, dest="lenses",
        help="images of each model of two latents that one may be the encoder of",
    )  # fmt: skip
    site.add_argument(
        "--lang", metavar="L", nargs="+", choices=tuple(LANGUAGES), default=["en"],
        dest="languages", help="languages, the first at the top: en, zh-Hans, zh-Hant",
    )  # fmt: skip
    site.add_argument("--title", default="", help="what stands over the start page")
    site.add_argument(
        "--learn", action="store_true", help="the chapters of Learn that need no server"
    )
    site.add_argument(
        "--exercises", metavar="FILE", help="questions in TOML, which `grade` marks the answers to"
    )
    site.add_argument("--overwrite", action="store_true", help="write into a folder that has files")
    site.set_defaults(command=build_pages)

    grade = commands.add_parser(
        "grade",
        help="mark the lines that a site's exercises gave students",
        parents=[as_json, data_root],
    )
    grade.add_argument("answers", metavar="ANSWERS", help="a text or CSV file of their lines")
    grade.add_argument(
        "--exercises", metavar="FILE", required=True, help="the questions that the site has"
    )
    grade.set_defaults(command=grade_answers)

    disentangle = commands.add_parser(
        "disentangle",
        help="score how codes tell known factors: MIG, SAP, FactorVAE, DCI",
        parents=[as_json, data_root],
    )
    disentangle.add_argument(
        "run", metavar="RUN", nargs="?", help="a run or a sweep, unless --codes is given"
    )
    disentangle.add_argument("--codes", metavar="FILE", help="codes with the factors as columns")
    disentangle.add_argument("--dataset", metavar="D", help="the run's images, if it does not tell")
    disentangle.add_argument("--seed", type=int, default=0)
    disentangle.set_defaults(command=score_disentangled)

    data = commands.add_parser(
        "data",
        help="list data sets, get one, add your own pictures",
        usage="%(prog)s [NAME [--download] | add PATH [--name N] [--size S] [--grey] | remove N]",
        parents=[as_json, data_root],
    )
    data.add_argument("name", metavar="NAME", nargs="?", help="the data set to load; add or remove")
    data.add_argument(
        "target",
        metavar="PATH",
        nargs="?",
        help="to add: a folder, .zip, .npz, .npy or .parquet of pictures; to remove: a name",
    )
    data.add_argument("--download", action="store_true", help="fetch it if it is not there")
    data.add_argument("--name", metavar="N", dest="own_name", help="what to call yours")
    data.add_argument("--size", type=int, metavar="S", help="side in pixels (default: own, or 64)")
    data.add_argument("--grey", action="store_true", help="one channel, whatever the pictures have")
    data.add_argument("--fit", default="crop", metavar="F", help="crop (default), pad or resize")
    data.add_argument("--background", type=int, default=0, metavar="G", help="grey, 0 to 255")
    data.add_argument("--seconds", type=float, default=3600, metavar="S", help="time to read in")
    data.set_defaults(command=show_data)

    check = commands.add_parser(
        "check", help="tell what is wrong with a run directory, and where", parents=[as_json]
    )
    check.add_argument("directory", metavar="DIR", nargs="?", help="a run, or a folder of runs")
    check.add_argument("--schema", action="store_true", help="print the JSON Schema of a run")
    check.set_defaults(command=check_folder)

    runs = commands.add_parser("runs", help="list runs", parents=[as_json])
    runs.add_argument("--runs", metavar="DIR", help=f"the folder (default: {runs_folder()})")
    runs.set_defaults(command=list_runs)
    return parser


if __name__ == "__main__":
    sys.exit(main())
