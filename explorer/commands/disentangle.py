"""Score how codes tell known factors: MIG, SAP, FactorVAE and DCI."""

import argparse
from typing import Any

from explorer.commands.options import AS_JSON, DATA_ROOT, Commands, add_subject
from explorer.commands.output import report
from explorer.commands.runs import named_images
from explorer.errors import ExplorerError

SCORES = {
    "mig": "MIG",
    "sap": "SAP",
    "factor_vae": "FactorVAE",
    "dci_disentanglement": "DCI disentanglement",
    "dci_completeness": "completeness",
    "dci_informativeness": "informativeness",
}


def add_disentangle(commands: Commands) -> None:
    """Add `disentangle` and its options."""
    disentangle = commands.add_parser(
        "disentangle",
        help="score how codes tell known factors: MIG, SAP, FactorVAE, DCI",
        parents=[AS_JSON, DATA_ROOT],
    )
    add_subject(disentangle, codes="codes with the factors as columns")
    disentangle.add_argument("--dataset", metavar="D", help="the run's images, if it does not tell")
    disentangle.add_argument("--seed", type=int, default=0)
    disentangle.set_defaults(command=score_disentangled)


def score_disentangled(options: argparse.Namespace) -> None:
    """Print the scores of a run, or of a file of codes with columns."""
    from explorer.analysis.representation.known_factors import (
        score_codes_factors,
        score_run_factors,
    )

    if (options.run is None) == (options.codes is None):
        raise ExplorerError("Give either a run or --codes FILE.")
    if options.codes is not None:
        from explorer.analysis.codes_in.reading import read_any_codes

        found = score_codes_factors(read_any_codes(options.codes), seed=options.seed)
    else:
        from explorer.runs.store import open_run

        run = open_run(options.run)
        codes = run.codes()
        if codes is None or not run.info.is_continuous:
            raise ExplorerError(f"{run.name} has no codes that are coordinates.")
        images = named_images(run, options.dataset, options.data_root)
        found = score_run_factors(codes, images.factors, seed=options.seed)
    values = found.to_dict()
    report(options.json, values, "\n".join(describe_scores(values)))


def describe_scores(values: dict[str, Any]) -> list[str]:
    """Return the scores in lines of text, then what each factor is told by."""
    from explorer.codes import latent_name

    scores = ", ".join(f"{name} {values[key]:.2f}" for key, name in SCORES.items())
    lines = [f"{scores} (0 to 1; {values['images']:,} items)"]
    for row in values["factors"]:
        second = ""
        if row["second"] is not None:
            second = f", next {latent_name(row['second'])} {row['second_nats']:.2f}"
        lines.append(f"  {row['name']}: {latent_name(row['best'])} {row['nats']:.2f} nats{second}")
    return lines
