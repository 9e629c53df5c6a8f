"""What an array of a file is, by its name: the names that people give to the same few things."""

import re

from explorer.analysis.codes_in.numbers import list_words

PARTS = frozenset(
    "z q qz latent latents posterior enc encoder fc linear head x code codes scvi all test".split()
)
"""Words around the telling one: z_mean, X_latent_qzm, encoder.log_var."""
ROLES = {
    "mean": "mean mu loc means mus location qzm zmean zmu center",
    "logvar": "logvar logvariance logsigma2 logsigmasq logsigmasquared lnvar logv logvars lv "
              "logvariances",
    "log_std": "logstd logsigma logscale lnstd logstddev logsd lnsigma",
    "std": "std sigma scale stddev sd stdev stds sigmas standarddeviation",
    "variance": "var variance variances qzv sigma2 sigmasq sigmasquared vars",
    "softplus": "rawscale scaleraw presoftplus rawstd rawsigma sigmaraw stdraw rho presigma",
    "moments": "moments parameters params meanlogvar gaussianparams distparams momentum",
    "sample": "sample samples embedding embeddings emb representation scvi scanvi totalvi features",
    "steps": "steps step epochs epoch iterations iteration",
    "labels": "labels label y target targets class classes celltype celltypes type types "
              "category categories onehot yonehot labelsonehot digit digits group groups "
              "cluster clusters leiden louvain",
}  # fmt: skip
"""Role → names, without underscores and the words of PARTS."""
SPREADS = ("logvar", "log_std", "std", "variance", "softplus")
"""What the second array may be; softplus is σ before the softplus."""
MEAN_NAMES, SPREAD_NAMES = (
    ("mean", "mu", "z_mean", "loc"),
    ("logvar", "log_var", "var", "std", "sigma", "log_std", "scale"),
)
_BY_NAME = {name: role for role, names in ROLES.items() for name in names.split()}


def role_of(name: str) -> str | None:
    """Return the role of an array by its name, None where the name says nothing.

    >>> [role_of(n) for n in ("z_log_var", "X_latent_qzm", "qz_v", "sigma", "z", "images")]
    ['logvar', 'mean', 'variance', 'std', 'sample', None]
    """
    spaced = re.sub(r"([a-z])([A-Z])", r"\1_\2", name)
    words = [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]
    for candidate in ("".join(words), "".join(word for word in words if word not in PARTS)):
        if candidate in _BY_NAME:
            return _BY_NAME[candidate]
    rest = [word for word in words if word not in PARTS]
    if len(words) > 1 and rest in (["m"], ["v"]):
        return "mean" if rest == ["m"] else "variance"
    return "sample" if words and not rest and not name.startswith("x_") and name != "x" else None


def say_names() -> tuple[str, str]:
    """Return the usual names of a mean and of a spread, as a list in a sentence."""
    return list_words(list(MEAN_NAMES), "or"), list_words(list(SPREAD_NAMES), "or")
