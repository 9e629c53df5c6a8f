"""Find collapsed latent dimensions, of a run or of anyone's codes."""

import argparse
import contextlib
from typing import Any

from explorer.commands.latents import diagnose_latents
from explorer.commands.options import AS_JSON, DATA_ROOT, Commands, add_subject
from explorer.commands.output import progress_line, report
from explorer.commands.runs import find_images
from explorer.errors import ExplorerError

SIGNIFICANT = 0.01
LISTED = 8


def add_diagnose(commands: Commands) -> None:
    """Add `diagnose` and its options."""
    diagnose = commands.add_parser(
        "diagnose", help="find collapsed latent dimensions", parents=[AS_JSON, DATA_ROOT]
    )
    add_subject(diagnose)
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


def diagnose_run(options: argparse.Namespace) -> None:
    """Print the verdict on every latent dimension."""
    given = [options.run, options.codes, options.latents]
    if sum(one is not None for one in given) != 1:
        raise ExplorerError("Give either a run or --codes FILE or --latents FILE.")
    if options.latents is not None:
        if options.use or options.per != "channel":
            raise ExplorerError("--use and --per go with --codes; latents are told per channel.")
        return diagnose_latents(options)
    if options.images is not None:
        raise ExplorerError("--images goes with --latents.")
    if options.codes is not None:
        return diagnose_file(options)
    if options.spread or options.axes or options.per != "channel":
        raise ExplorerError("--spread, --axes and --per go with --codes.")
    from explorer.analysis.collapse import diagnose as collapse
    from explorer.analysis.collapse.prior_match import match_prior, read_joint
    from explorer.runs.store import open_run

    run = open_run(options.run)
    images = None
    if run.info.has_model:
        # Images that were asked for by name must be there; others may be.
        with contextlib.nullcontext() if options.dataset else contextlib.suppress(ExplorerError):
            split = (not options.dataset and run.info.best_split) or "test"
            images = find_images(run, options.dataset, split, options.data_root, None)
    values = collapse.diagnose_run(run, images, seed=options.seed).to_dict()
    lines = describe_verdicts(values)
    codes = run.codes()
    if codes is not None:
        joint = read_joint(values)
        prior = match_prior(codes.mean, codes.logvar, joint=joint, use=options.use).to_dict()
        values["prior"] = prior
        lines += describe_prior(prior)
    report(options.json, values, "\n".join(lines))


def diagnose_file(options: argparse.Namespace) -> None:
    """Print what must be said of a file of codes, and then the verdicts."""
    from explorer.analysis.collapse.judged import judge_file

    with progress_line() as show:
        judged = judge_file(
            options.codes,
            axes=options.axes,
            per=options.per,
            spread=options.spread,
            use=options.use,
            seed=options.seed,
            progress=lambda part: show(f"{part:.0%}"),
        )
    values = judged.to_dict()
    lines = [f"! {told['text']}" for told in values["told"]]
    lines += describe_verdicts(values)
    lines += [*describe_prior(values["prior"]), *describe_columns(values["columns"])]
    report(options.json, values, "\n".join(lines))


def describe_verdicts(values: dict[str, Any]) -> list[str]:
    """Return a diagnosis in lines of text: the whole model, then every dimension."""
    rows = values["dimensions"]
    if values["rate"] is None:
        return [
            f"{values['active_units']} of {len(rows)} means move with the data, in about "
            f"{values['covariance_dimensions']:.2f} directions; KL needs the spread too",
            *(f"  {name_row(row)} Var μ {row['var_mean']:.3f}   {row['verdict']}" for row in rows),
        ]
    return [
        *_say_too_few(values["images"]),
        f"{values['active_units']} of {len(rows)} units active, "
        f"{values['effective_dimensions']:.2f} effective dimensions, "
        f"rate {values['rate']:.2f} nats, of {values['images']:,} items",
        *(
            f"  {name_row(row)} KL {row['kl']:7.3f} nats   Var μ {row['var_mean']:.3f}   "
            f"E σ² {row['mean_var']:.3f}   {row['verdict']}{_say_doubt(row)}"
            for row in rows
        ),
    ]


def _say_too_few(items: int) -> list[str]:
    from explorer.analysis.collapse.verdicts import FEWEST_IMAGES

    few = f"! {items:,} items are too few for a verdict: at least {FEWEST_IMAGES} are needed."
    return [few] * (items < FEWEST_IMAGES)


def _say_doubt(row: dict[str, Any]) -> str:
    """Return, of an uncertain dimension, which measures speak for and against it.

    >>> _say_doubt({"verdict": "uncertain", "reasons": ["kl_high", "var_mean_low"]})
    ': kl high, var mean low'
    """
    if row["verdict"] != "uncertain":
        return ""
    told = [reason.replace("_", " ") for reason in row["reasons"]]
    return f": {', '.join(told)}"


def describe_prior(prior: dict[str, Any]) -> list[str]:
    """Return whether codes follow the prior: what it depends on, what is off, then the remedy."""
    if prior["state"] != "off":
        return ["the codes follow the prior N(0, 1)"] * (prior["state"] == "follows")
    lines = [f"the codes do not follow the prior N(0, 1). {prior['depends_on']}"]
    off = [row for row in prior["dimensions"] if row["off"]]
    if off:
        named = [
            f"{name_row(row).rstrip()} ({', '.join(_say_off(row, what) for what in row['off'])})"
            for row in off[:LISTED]
        ]
        more = f" and {len(off) - LISTED:,} more" * (len(off) > LISTED)
        lines.append(f"  off: {', '.join(named)}{more}")
    if prior["marginal_kl"] is not None:
        # Of too few items the estimator sees correlation where there is none.
        share = (
            " at most, which more items may lower"
            if prior["saturated"]
            else f", of them total correlation {prior['total_correlation']:.2f}"
        )
        lines.append(
            "  all dimensions together: KL of the aggregate to the prior "
            f"{prior['marginal_kl']:.2f} nats{share}"
        )
    return [*lines, f"  {prior['remedy'] or 'say it with --use sampling, diffusion or embedding'}"]


def _say_off(row: dict[str, Any], what: str) -> str:
    if what == "mean":
        return f"mean {row['mean']:.2f} ± {row['mean_error']:.2f}"
    if row["total_variance"] is None:
        return "variance of the means alone above 1"
    return f"variance {row['total_variance']:.2f} ± {row['total_variance_error']:.2f}"


def describe_columns(columns: list[dict[str, Any]]) -> list[str]:
    """Return which dimensions follow which column, a line for each that passes p < .01.

    >>> best = [{"index": 6, "dimension": 6, "value": 0.81, "p": 0.002}]
    >>> describe_columns([{"name": "n_genes", "measure": "rho", "best": best, "permuted": 5000}])[1]
    '  n_genes: z₇ (ρ = .81)'
    """
    from explorer.codes import latent_name

    if not columns:
        return []
    lines = []
    for column in columns:
        passing = [match for match in column["best"] if match["p"] < SIGNIFICANT]
        sign = {"rho": "ρ", "eta2": "η²"}[column["measure"]]
        told = [
            f"{latent_name(match['dimension'])} ({sign} = {short_number(match['value'])})"
            for match in passing
        ]
        if told:
            lines.append(f"  {column['name']}: {', '.join(told)}")
    permuted = max(column["permuted"] for column in columns)
    return [
        f"columns that a dimension follows: {len(lines)} of {len(columns)} "
        f"(p < {short_number(SIGNIFICANT)} for all dimensions together, from permutations of "
        f"{permuted:,} items)",
        *lines,
    ]


def short_number(value: float) -> str:
    """Return a number of at most 1 with two digits, without its zero.

    >>> short_number(0.812), short_number(-0.5), short_number(0.999)
    ('.81', '−.50', '1.00')
    """
    return f"{value:.2f}".replace("0.", ".", 1).replace("-", "−")


def name_row(row: dict[str, Any]) -> str:
    """Return a dimension's name as the file counts them, from 1."""
    from explorer.codes import latent_name

    return f"{latent_name(row.get('dimension', row['index'])):<4}"
