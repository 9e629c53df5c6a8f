"""The signs of the five study notes and of this app, and the notes' slips: as LaTeX in roles."""

from dataclasses import dataclass

NOTES = ("000", "001", "002", "003", "004")
HERE = "here"
SWAPPED = "001"
"""The note in which q is the decoder."""

IDENTITIES = {
    "000": (
        r"\log P(x)&=ELBO+@gap{KLD(@latent{f(z|x)}\,||\,P(z|x))}\\"
        r"ELBO&=-@kl{KLD(@latent{f(z|x)}\,||\,P(z))}"
        r"+E_{@latent{f(z|x)}}[\log @reconstruction{P(x|z)}]"
    ),
    "001": (
        r"\log[q(x)]&=ELBO+@gap{KL[@latent{p(z/x)}/\!/q(z/x)]}\\"
        r"ELBO&=E_{z\sim @latent{p(z/x)}}(\log[@reconstruction{q(x/z)}])"
        r"-@kl{KL[@latent{p(z/x)}/\!/q(z)]}"
    ),
    "002": (
        r"\log p(x)&=ELBO+@gap{KL(@latent{q(z)}\|p(z|x))}\\"
        r"ELBO&=E_{z\sim @latent{q(z)}}[\log @reconstruction{p(x|z)}]"
        r"-@kl{KL(@latent{q(z)}\|p(z))}"
    ),
    "003": (
        r"\ln p(x)&={\textstyle\int_z}\,@latent{q(z|x)}\ln\tfrac{p(z,x)}{@latent{q(z|x)}}\,dz"
        r"+@gap{KLD(@latent{q(Z|X)}||p(Z|X))}\\"
        r"{\textstyle\int_z}\ldots&=-@kl{KLD(@latent{q(Z|X)}||p(Z))}"
        r"+E_{Z|X}[@reconstruction{\ln p(X|Z)}]"
    ),
    "004": (
        r"\log p(x)&=L(\phi)+@gap{{\rm KL}(@latent{q_\phi(z|x)}||p(z|x))}\\"
        r"L(\theta,\phi)&=E_q\Big[\log\tfrac{@reconstruction{p_\theta(x|z)}\,p(z)}"
        r"{@latent{q_\phi(z|x)}}\Big]"
    ),
    HERE: (
        r"\log p(x)&=\mathrm{ELBO}+@gap{\mathrm{KL}(@latent{q(z|x)}\,\|\,p(z|x))}\\"
        r"\mathrm{ELBO}&=\mathbb{E}_q[\log @reconstruction{p(x|z)}]"
        r"-@kl{\mathrm{KL}(@latent{q(z|x)}\,\|\,p(z))}"
    ),
}

# What the notes and this app write, for each meaning; empty: no sign for it.
SYMBOLS = {
    "encoder": tuple(
        f"@latent[{symbol}]"
        for symbol in (r"f(z\vert x)", "p(z/x)", "q(z)", r"q(z\vert x)", r"q_\phi(z\vert x)",
                       r"q(z\vert x)")
    ),
    "decoder": tuple(
        f"@reconstruction[{symbol}]"
        for symbol in (r"P(x\vert z)", "q(x/z)", r"p(x\vert z)", r"p(x\vert z)",
                       r"p_\theta(x\vert z)", r"p(x\vert z)")
    ),
    "prior": ("$P(z)$", "$q(z)$", "$p(z)$", "$p(Z)$", "$p(z)$", "$p(z)$"),
    "posterior": (
        r"$P(z\vert x)$", "$q(z/x)$", r"$p(z\vert x)$", r"$p(Z\vert X)$", r"$p(z\vert x)$",
        r"$p(z\vert x)$",
    ),
    "evidence": ("$P(x)$", "$q(x)$", "$p(x)$", "$p(x)$", r"$p_\theta(x)$", "$p(x)$"),
    "data": ("", "$p(x)$", "", "", "", ""),
    "kl": (
        r"@kl[KLD(f\Vert P)]", r"@kl[KL\lbrack p//q\rbrack]", r"@kl[KL(q\Vert p)]",
        r"@kl[KLD(q\Vert p)]", r"@kl[{\rm KL}(q\Vert p)]", r"@kl[{\rm KL}(q\Vert p)]",
    ),
    "bound": ("$Lowerbound$", "$ELBO$", "$ELBO$", "", r"$L(\phi),\ L(\theta,\phi)$",
              r"$\rm ELBO$"),
    "letter": ("loss_terms", "loss", "", "likelihood", "bound_and_draws", "draws"),
}  # fmt: skip


@dataclass(frozen=True)
class Slip:
    """One slip of a note: what it writes and what holds, as LaTeX, and the page that shows it."""

    name: str
    says: str
    holds: str
    link: str


SLIPS = {
    "000": (
        Slip("prior", r"P(x)=\int G(z)\,dz", r"p(x)=\int p(x\vert z)\,p(z)\,dz",
             "learn?chapter=mixture"),
        Slip("sum", r"\max\sum_x P(x)\ \text{as}\ \max\sum_x\log P(x)",
             r"\max\sum_x\log p(x)", "learn?chapter=elbo"),
        Slip("direction", r"\log P(x)\to\text{bound}", r"\mathrm{ELBO}\to\log p(x)",
             "elbo?section=microscope"),
        Slip("twice", r"-\int f\log\tfrac{f}{P(x\vert z)}+\int f\log\tfrac{P(z)}{f}",
             r"\int f\log P(x\vert z)+\int f\log\tfrac{P(z)}{f}", "learn?chapter=elbo"),
        Slip("maximise", r"\max L_{reconstruct}", r"\min\,\mathbb{E}_q[-\log p(x\vert z)]",
             "train"),
    ),
    "001": (
        Slip("half", r"\tfrac{1}{\sigma_g^2}\lVert x-\mu(z)\rVert^2",
             r"\tfrac{1}{2\sigma^2}\lVert x-\hat x\rVert^2", "learn?chapter=sigma"),
        Slip("minus", r"\min\tfrac1k\sum_j\ln[q(x/z_j)]",
             r"\min\,-\tfrac1L\sum_l\log p(x\vert z_l)", "elbo?section=samples"),
    ),
    "002": (
        Slip("joint", r"KL(q(z)\Vert p(x,z))",
             r"\mathbb{E}_q\big[\log\tfrac{q(z\vert x)}{p(x,z)}\big]=-\mathrm{ELBO}",
             "learn?chapter=elbo"),
    ),
    "003": (
        Slip("noise", r"z+N(0,1)", r"z=\mu(x)+\sigma(x)\,\varepsilon",
             "learn?chapter=reparameterise"),
        Slip("finite", r"\text{GMM}", r"p(x)=\int p(x\vert z)\,p(z)\,dz", "learn?chapter=mixture"),
        Slip("cross_entropy", r"\text{cross-entropy}", r"\mathbb{E}_q[-\log p(x\vert z)]",
             "learn?chapter=kl"),
        Slip("sign", r"\min\,-KLD(q\Vert p)", r"\max\,-\mathrm{KL}(q\Vert p)",
             "elbo?section=microscope"),
        Slip("approach", r"\ln p(X\vert z)\to\ln p(X)",
             r"\mathbb{E}_q[\log p(x\vert z)]-\mathrm{KL}\to\log p(x)", "elbo?section=microscope"),
    ),
    "004": (
        Slip("over_phi", r"\int_\phi q_\phi(z\vert x)\log\tfrac{q_\phi(z\vert x)}{p(z\vert x)}",
             r"\int q_\phi(z\vert x)\log\tfrac{q_\phi(z\vert x)}{p(z\vert x)}\,dz",
             "learn?chapter=kl"),
        Slip("bound", r"\ldots",
             r"L(\phi)=\log p(x)-\mathrm{KL}(q_\phi\Vert p(z\vert x))\le\log p(x)",
             "learn?chapter=elbo"),
        Slip("theta", r"\max L=\max p(x)", r"\mathrm{KL}(q\Vert p_\theta(z\vert x))=0",
             "elbo?section=players"),
        Slip("estimate", r"\ldots",
             r"\hat L=\tfrac1L\sum_{l=1}^L\big[\log p_\theta(x,z^{(l)})-"
             r"\log q_\phi(z^{(l)}\vert x)\big]", "elbo?section=samples"),
    ),
}  # fmt: skip
"""Every slip of the notes, in the order in which each note makes them."""


def count_slips() -> int:
    """Return how many slips the notes make together."""
    return sum(map(len, SLIPS.values()))
