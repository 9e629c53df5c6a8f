"""What is said of codes beside the verdicts: a code, its values, one English sentence."""

from dataclasses import dataclass, field
from typing import Any

from explorer.analysis.checks import plain

SENTENCES = {
    "thinned": "{kept:,} of {count:,} items were read, evenly spread.",
    "judged": "{kept:,} of {count:,} rows are judged, evenly spread.",
    "gaps": "{where}; the rest is judged.",
    "means_alone": "There is no spread: only what means can tell is said.",
    "export_both": "scVI gives both moments: qzm, qzv = model.get_latent_representation("
    'return_dist=True); np.savez("codes.npz", mean=qzm, variance=qzv)',
    "sample_or_mean": "{name} is taken for means; samples of q(z|x) are wider by σ².",
    "halves": "{name} {shape} is split in two halves: mean, then spread.",
    "maybe_moments": "The second half of {name}'s channels is negative throughout, as "
    "log-variances are: if it holds both moments, name the array moments.",
    "moments_fit": "The second half of {name} fits its first half as a spread fits means: if it "
    "holds both moments, name the array moments: np.savez(path, moments=…).",
    "whole_numbers": "{name} holds whole numbers: if they are indices into a codebook, they are no "
    "means, and nothing below holds.",
    "by_position": "{mean} is taken for the mean and {spread} for the log-variance, by order.",
    "bfloat16": "{name} is read as bfloat16, which NumPy stores without its name.",
    "axes": "Read as {axes}: {items:,} items of {latents} latents at {positions} positions each.",
    "per_position": "Read as {axes}: each of {dimensions:,} positions and channels is a dimension.",
    "axes_doubtful": "With steps the last axis is the latents, but the spreads differ most along "
    "axis {axis} (of {size}): are these latents × positions (--axes NKT) and no steps?",
    "labels_left_out": "The labels ({name}) are left out: {why}.",
    "labels_one_hot": "The labels ({name}) are read as one-hot.",
    "pickled": "{name} holds Python objects, which are not unpacked: save words with .astype(str).",
    "zero_spread": "{count:,} spreads are 0, a point: they count as e^{floor:g}.",
    "spread_doubtful": "{name} was read as {claimed}, but {better} fits better: the total variance "
    "of a dimension is off by {off:.2f} as {claimed} and by {best:.2f} as {better} "
    "(--spread {option}).",
    "spread_contradicted": "{name} is hardly {claimed}: {why}. Read it as {better} "
    "(--spread {option}).",
    "spread_impossible": "{name} cannot be {claimed}: {why}. It is read as {better}.",
    "exchanged": "{mean} and {name} look exchanged: the total variance of a dimension, 1 at "
    "an optimum, is off by {off:.2f} as they are called, and by {best:.2f} the other way round. "
    "Exchange their names in the file.",
    "other_arrays": "Not used: {names}.",
}


@dataclass(frozen=True)
class Told:
    """Something to be said: `code` and `values` for a catalogue, `str` for the command line."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return SENTENCES[self.code].format(**self.values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values with the sentence."""
        return plain({"code": self.code, "values": self.values, "text": str(self)})
