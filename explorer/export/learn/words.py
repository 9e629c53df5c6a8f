"""Formulas of chapters, and what they say to where controls stand, here and in the app."""

from collections.abc import Sequence

from explorer.analysis.teaching.gaussians import KlTerms

Remark = tuple[bool, str, dict[str, object]]
"""Whether the controls answer the question, and the sentence to it: its key and values."""

LATENTS = (
    r"\prod_i p(x_i) \quad\text{%s}\quad p(x) = "
    r"\int \prod_i @reconstruction{p(x_i|}@latent{z}@reconstruction{)}\,@gap{p(z)}\, d@latent{z}"
)
SIGMA_LOSS = (
    r"@reconstruction{\frac{\lVert x-\hat x\rVert^2}{@sigma{%s}}}+\beta\,@kl{\mathrm{KL}}"
    r"\;=\;\tfrac{1}{@sigma{\sigma^2}}\Big(@reconstruction{%s\lVert x-\hat x\rVert^2}"
    r"+\beta @sigma{\sigma^2}\,@kl{\mathrm{KL}}\Big)"
)
GRADIENT_BY_MEAN = (
    r"\nabla_{@mean{\mu}}\,\mathbb{E}_q[f(@latent{z})]"
    r"=\underbrace{\mathbb{E}_\varepsilon\big[f'(@mean{\mu}+@sigma{\sigma}\varepsilon)\big]}"
    r"_{@latent{\text{%s}}}"
    r"=\underbrace{\mathbb{E}_q\Big[f(@latent{z})\,"
    r"\tfrac{@latent{z}-@mean{\mu}}{@sigma{\sigma}^2}\Big]}_{@gap{\text{%s}}}"
)
COLLAPSE = (
    r"\begin{gathered}\text{%s}=@reconstruction{\mathbb{E}_q[-\log p(x|@latent{z})]}"
    r"+\beta\sum_i@kl{\mathrm{KL}_i}\\"
    r"@latent{z_i}\text{ %s}\iff @sigma{\lambda_i}>\beta\end{gathered}"
)
ASKED_NATS = (0.45, 0.55)
NEAR = 0.02


def show_number(value: float, digits: int = 2) -> str:
    """Return a number with a true minus sign, and none before a zero.

    >>> show_number(-1.5), show_number(-0.001)
    ('−1.50', '0.00')
    """
    shown = f"{value:.{digits}f}"
    return shown.lstrip("-") if not float(shown) else shown.replace("-", "−")


def sigma_loss(as_written: bool) -> str:
    """Return the loss of chapter 5, without the Gaussian's ½ where it is `as_written`."""
    return SIGMA_LOSS % ((r"\sigma^2", "") if as_written else (r"2\sigma^2", r"\tfrac12"))


def closed_form(terms: KlTerms, moved: bool) -> str:
    """Return KL of two Gaussians in closed form, and below it the same with this q's numbers."""
    place, width = r"@mean{\mu}^2", r"@sigma{\sigma}^2"
    if moved:
        place = r"\tfrac{(@mean{\mu}-@gap{m})^2}{@gap{s}^2}"
        width = r"\tfrac{@sigma{\sigma}^2}{@gap{s}^2}"
    numbers = (
        f"@mean{{{2 * terms.place:.2f}}} + @sigma{{{2 * terms.width:.2f}}} - 1 "
        f"{'-' if terms.log_width < 0 else '+'} @sigma{{{abs(2 * terms.log_width):.2f}}}"
    )
    return (
        rf"\begin{{aligned}}@kl{{\mathrm{{KL}}}} &= \tfrac12\bigl({place} + {width} - 1 - "
        rf"\ln {width}\bigr) \\ &= \tfrac12({numbers}) = @mean{{{terms.place:.2f}}} + "
        rf"@sigma{{{terms.spread:.2f}}} = @kl{{{terms.total:.2f}}}\end{{aligned}}"
    )


def judge_latents(side: int, shown: str, ends: tuple[int, int]) -> Remark:
    """Return what chapter 1 says to patches of a side, whose smallest and largest are `ends`."""
    if side == ends[0]:
        return False, "learn.latents.remark.independent", {}
    if side < ends[1]:
        return False, "learn.latents.remark.patches", {"side": side}
    if shown == "mean":
        return False, "learn.latents.remark.mean", {}
    return True, "learn.latents.answer", {}


def judge_kl(mean: float, sd: float, prior_mean: float, prior_sd: float, terms: KlTerms) -> Remark:
    """Return what chapter 4 says to a q and a prior."""
    kl = show_number(terms.total)
    if abs(prior_mean) > NEAR or abs(prior_sd - 1) > NEAR:
        return False, "learn.kl.remark.prior", {}
    if abs(mean) > NEAR:
        values: dict[str, object] = {"mean": show_number(mean), "place": show_number(terms.place)}
        return False, "learn.kl.remark.mean", {**values, "kl": kl}
    low, high = ASKED_NATS
    if sd > 1 and terms.total >= low:
        return False, "learn.kl.remark.vague", {"kl": kl, "sd": show_number(sd)}
    if terms.total < low:
        return False, "learn.kl.remark.little", {"kl": kl}
    if terms.total > high:
        return False, "learn.kl.remark.much", {"kl": kl}
    return True, "learn.kl.right", {"kl": kl}


def judge_sigma(price: float, rate: float, wanted: tuple[float, float], moved: bool) -> Remark:
    """Return what chapter 5 says to βσ² and its KL; `wanted` are those to bring back."""
    if not moved:
        return False, "learn.sigma.question.move", {}
    if abs(price - wanted[0]) <= 1e-9 * wanted[0]:
        return True, "learn.sigma.question.right", {}
    values: dict[str, object] = {"price": price, "rate": rate, "wanted": wanted[1]}
    return False, "learn.sigma.question.other", values


def judge_draws(one: float, score: float, draws: int, offered: Sequence[int]) -> Remark:
    """Return what chapter 6 says to a number of draws, of those `offered`.

    `one` and `score` are variances of a single draw, reparameterised and by the score function.
    """
    name, needed = "right", score / draws
    if score / offered[-1] > one:
        name, draws, needed = "none", offered[-1], score / offered[-1]
    elif needed > one:
        name = "few"
    elif draws != offered[0] and 2 * needed <= one:
        name = "many"
    values: dict[str, object] = {"draws": draws, "score": needed, "one": one}
    return name == "right", f"learn.reparameterise.question.{name}", values


def judge_collapse(beta: float, active: int) -> Remark:
    """Return what chapter 7 says to a model's β and how many of its dimensions live."""
    name = ("none", "right", "two")[min(active, 2)]
    return name == "right", f"learn.collapse.question.{name}", {"beta": beta}
