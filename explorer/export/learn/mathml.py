"""The LaTeX of our chapters → MathML, which browsers draw by themselves.

Known is what the chapters write, with `@role{…}` in the colour of a role; anything else is an error
and never left out.
"""

import html
import re

GREEK = {
    "mu": "μ",
    "sigma": "σ",
    "beta": "β",
    "lambda": "λ",
    "varepsilon": "ε",
    "phi": "ϕ",
    "theta": "θ",
    "pi": "π",
}
OPERATORS = {
    "sum": "∑", "int": "∫", "prod": "∏", "nabla": "∇", "ge": "≥", "le": "≤", "approx": "≈",
    "iff": "⟺", "to": "→", "in": "∈", "sim": "∼", "infty": "∞", "ldots": "…", "dots": "…",
    "Vert": "‖", "lVert": "‖", "rVert": "‖", "|": "‖", "vert": "|", "{": "{", "}": "}",
    "lbrack": "[", "rbrack": "]",
}  # fmt: skip
NAMES = {"log", "ln", "min", "max"}
SPACES = {",": 0.17, ";": 0.28, "quad": 1.0, " ": 0.25, "!": 0.0}
SIZES = {"bigl": 1.2, "bigr": 1.2, "Bigl": 1.8, "Bigr": 1.8, "big": 1.2, "Big": 1.8}
ACCENTS = {"hat": "^", "tilde": "~"}
FONTS = {"mathrm": None, "mathbb": {"E": "𝔼"}, "mathcal": {"N": "𝒩"}}
TABLES = {"gathered": "center", "aligned": "right left"}
_TOKEN = re.compile(r"\\(?:[A-Za-z]+|.)|@\w+(?=\{)|\d+(?:[.,]\d+)*|\s+|.", re.S)


def write_formula(latex: str, display: bool = True) -> str:
    """Return a formula as one `<math>` element; ValueError for what is not known."""
    reader = _Reader(latex)
    body = reader.row(None)
    shown = ' display="block"' if display else ""
    return f"<math{shown}>{body}</math>"


class _Reader:
    def __init__(self, latex: str) -> None:
        self.tokens = _TOKEN.findall(latex)
        self.place = 0

    def next(self) -> str:
        if self.place == len(self.tokens):
            raise ValueError("The formula ends too early.")
        self.place += 1
        return str(self.tokens[self.place - 1])

    def peek(self) -> str | None:
        while self.place < len(self.tokens) and self.tokens[self.place].isspace():
            self.place += 1
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def row(self, end: str | None) -> str:
        """Return all up to `end`, which is read too."""
        parts: list[str] = []
        while (token := self.peek()) != end:
            if token is None:
                raise ValueError(f"The formula has no {end}.")
            parts.append(self.scripts())
        if end is not None:
            self.next()
        return "<mrow>" + "".join(parts) + "</mrow>"

    def scripts(self) -> str:
        base, found = self.atom(), {}
        while (token := self.peek()) in ("^", "_"):
            self.next()
            found[token] = self.argument()
        if not found:
            return base
        # ∏ and Σ carry their bounds above and below, a brace its words.
        over = base.startswith(("<mo>∑", "<mo>∏", "<munder><mrow>", "<munder><mo"))
        kind = ("munder", "mover", "munderover") if over else ("msub", "msup", "msubsup")
        place = 2 if len(found) == 2 else 0 if "_" in found else 1
        inner = "".join(found[key] for key in ("_", "^") if key in found)
        return f"<{kind[place]}>{base}{inner}</{kind[place]}>"

    def argument(self) -> str:
        """Return what a command or a script takes: braces, a command, or one sign of a number."""
        token = self.peek()
        if token is not None and token[0].isdigit() and len(token) > 1:
            self.tokens[self.place : self.place + 1] = [token[0], token[1:]]
        return self.atom()

    def atom(self) -> str:
        token = self.peek()
        self.next()
        assert token is not None
        if token == "{":
            return self.row("}")
        if token.startswith("@"):
            self.next()
            return f'<mrow class="role-{token[1:]}">{self.row("}")}</mrow>'
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{token}</mi>"
        sign = "−" if token == "-" else token
        stretchy = ' stretchy="false"' if token in "()[]|/" else ""
        return f"<mo{stretchy}>{html.escape(sign)}</mo>"

    def command(self, name: str) -> str:
        if name in GREEK:
            return f"<mi>{GREEK[name]}</mi>"
        if name in OPERATORS:
            plain = ' stretchy="false"' if OPERATORS[name] in "‖|{}[]" else ""
            return f"<mo{plain}>{OPERATORS[name]}</mo>"
        if name in NAMES:
            return f'<mi>{name}</mi><mspace width="0.17em"/>'
        if name in SPACES:
            return f'<mspace width="{SPACES[name]}em"/>'
        if name in SIZES:
            return f'<mo minsize="{SIZES[name]}em" maxsize="{SIZES[name]}em">{self.sign()}</mo>'
        if name in ACCENTS:
            return f'<mover accent="true">{self.argument()}<mo>{ACCENTS[name]}</mo></mover>'
        if name == "sqrt":
            return f"<msqrt>{self.argument()}</msqrt>"
        if name in ("frac", "tfrac"):
            above, below = self.argument(), self.argument()
            small = ' displaystyle="false"' if name == "tfrac" else ""
            return f"<mstyle{small}><mfrac>{above}{below}</mfrac></mstyle>"
        if name == "text":
            return f"<mtext>{html.escape(self.letters())}</mtext>"
        if name in FONTS:
            letters = self.letters() if self.peek() == "{" else self.next()
            changed = FONTS[name] or {}
            return f'<mi mathvariant="normal">{html.escape(changed.get(letters, letters))}</mi>'
        if name == "rm":
            letters = ""
            while (token := self.peek()) is not None and (token.isalpha() or token == "\\ "):
                letters += self.next().removeprefix("\\")
            return f'<mi mathvariant="normal">{letters}</mi>'
        if name == "textstyle":
            return f'<mstyle displaystyle="false">{self.scripts()}</mstyle>'
        if name == "underbrace":
            return f"<munder>{self.argument()}<mo>⏟</mo></munder>"
        if name == "begin":
            return self.table(self.letters())
        raise ValueError(f"The command \\{name} is not known.")

    def sign(self) -> str:
        token = self.next()
        return OPERATORS[token[1:]] if token.startswith("\\") else html.escape(token)

    def letters(self) -> str:
        """Return what stands in braces as it is."""
        if self.next() != "{":
            raise ValueError("Words of a formula stand in braces.")
        found = ""
        while (token := self.next()) != "}":
            found += token
        return found

    def table(self, name: str) -> str:
        """Return lines below one another; `&` parts their columns."""
        sides = TABLES[name].split()
        rows: list[list[str]] = [[""]]
        while True:
            token = self.peek()
            if token == "\\end":
                self.next()
                self.letters()
                break
            if token == "&":
                self.next()
                rows[-1].append("")
            elif token == "\\\\":
                self.next()
                rows.append([""])
            else:
                rows[-1][-1] += self.scripts()
        lines = ""
        for row in rows:
            cells = (
                f'<mtd style="text-align: {sides[i % len(sides)]}">{cell}</mtd>'
                for i, cell in enumerate(row)
            )
            lines += f"<mtr>{''.join(cells)}</mtr>"
        return f'<mtable displaystyle="true" rowspacing="0.5em" columnspacing="0">{lines}</mtable>'
