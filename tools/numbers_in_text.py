r"""The numbers in a chapter's text, captions and alt text are outputs too.

Checked are decimals, powers of ten, percentages and integers above ``SMALL``. Each must
equal, rounded to its own digits, a number that the code cells of its section print or
contain. Where it has ``LONG`` or more digits, and so hardly agrees by accident, or where
its section has no code, the whole chapter is searched. One that is not found this way is
declared in the metadata of the cell that it stands in, with a Python expression,

    {"dlnotes": {"numbers": {"-2.29": "path[-1]", "8%": "share", "175": "https://..."}}}

which is evaluated in the chapter's kernel after its last cell, whenever the chapter is
executed or compared. A number that is cited instead names its source, which the text must
link. The key is the number without its typesetting: "5{,}000" is 5000, "2.7 \cdot
10^{-4}" is 2.7e-4, and "8 %" is 8%, whose value is 0.08.
"""

import ast
import html
import math
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

SMALL = 20
LONG = 3
REMEDY = (
    "the text says {0}, which no code cell of the {1} prints or contains: correct it, print it, or "
    'declare it in the metadata of this cell: {{"dlnotes": {{"numbers": {{"{0}": "expression"}}}}}}'
)
HEADING = re.compile(r"^#{1,3} ", re.MULTILINE)

# What is no statement of the chapter's own: code, links, HTML tags, headings that quote a
# myth, the layout of formulas, and the names of chapters and versions.
APART = re.compile(
    r"```.*?```|~~~.*?~~~|`[^`]*`|!?\[[^\[\]]*\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*\)"
    r"|</?[a-z]+(?:\s[^<>]*)?>|^#+ “.*”$"
    r"|\\\\\[[^\[\]]*\]|\\[hv]space\*?\{[^{}]*\}"
    r"|\b[Cc]hapters?\s+\d+(?:(?:\s*,\s*|\s+(?:and|to|or)\s+)\d+)*"
    r"|\b(?:Python|PyTorch|torch|NumPy|[Vv]ersion)\s+\d+(?:\.\d+)*",
    re.DOTALL | re.MULTILINE,
)
# "in 1986", "(1986)": a year. Round ones are too likely to be a count.
YEAR = re.compile(r"(?<=\bin )(?!\d\d00)(?:1[6-9]|20)\d\d\b|\((?!\d\d00)(?:1[6-9]|20)\d\d\)")
SUPERSCRIPT = re.compile("10([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
PLAIN = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
GROUPS = re.compile(r"(?<![\w.])\d{1,3}(?:(?:\{,\}|\\,|[, \u00a0\u2009\u202f])\d{3})+(?![\d.])")
COMMAS = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+(?![\d.])")
POWER = re.compile(
    r"(?:(\d[\d.]*)\s*(?:\\cdot|\\times|·|×)\s*)?(?<![\d.])10\^(?:\{([+-]?\d+)\}|(\d))"
)
NUMBER = re.compile(
    r"(?<![\w.])(?<![A-Za-z]{2}-(?=\d+(?!\.\d)))(?<!_\{)"
    r"(?P<sign>(?<![\w)\]}])[+-])?"
    r"(?P<digits>\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
    r"(?P<percent>\$?\s*(?:\\,\s*)?(?:\\?%|per ?cent\b))?"
    r"(?!\d|\.\d|(?:st|nd|rd|th)\b)"
)
# Arguments that say how a figure looks, and nothing that a text would report.
LOOKS = {
    *("alpha", "angles", "aspect", "azim", "columnspacing", "dpi", "elev", "figsize", "fontsize"),
    *("handlelength", "height_ratios", "labelsize", "linewidth", "linewidths", "lw", "markersize"),
    *("ms", "ncols", "pad", "rotation", "rstride", "cstride", "s", "scale", "size", "width"),
    *("width_ratios", "hspace", "wspace", "xlim", "ylim", "xytext", "zorder"),
}
OPERATORS: dict[type[Any], Callable[..., float]] = {
    **{ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul},
    **{ast.Div: operator.truediv, ast.Pow: math.pow, ast.USub: operator.neg},
}


class Number(NamedTuple):
    """A number in a text: how a declaration writes it, its value, half of its last digit."""

    written: str
    value: float
    half: float

    def equals(self, value: float, half: float | None = None) -> bool:
        """Tell whether ``value`` rounds to it. A sign counts only where one is written.

        An integer in code or output is no decimal: 1.0 is not the 1 of ``range(1, n)``. And
        0.1 is not 0.08, which one digit can tell from it.
        """
        if isinstance(value, int) and "." in self.written and "%" not in self.written:
            return False
        value = value if self.written[0] in "+-" else abs(value)
        half = self.half if half is None else half
        if abs(value) < abs(self.value) and re.fullmatch(r"[+-]?(0\.0*1%?|1e.*)", self.written):
            half /= 10
        return abs(value - self.value) <= half * (1 + 1e-9)

    def is_constant(self, value: float) -> bool:
        """Tell whether a number in code is this one; a short number is not rounded there."""
        return self.equals(value, None if digits(self) >= LONG else 1e-12 * abs(self.value))


def parse(text: str, typeset: bool = True) -> Iterator[Number]:
    """Yield the numbers in a Markdown text, or in an output (``typeset=False``)."""
    if typeset:
        text = YEAR.sub(" ", APART.sub(" ", html.unescape(text)))
        text = re.sub(r"(?<!\d )\b(minus|plus) (?=\d)", lambda m: "-+"[m[1] == "plus"], text)
    text = (GROUPS if typeset else COMMAS).sub(lambda m: re.sub(r"\D", "", m[0]), text)
    text = SUPERSCRIPT.sub(lambda m: f"10^{{{m[1].translate(PLAIN)}}}", text.replace("−", "-"))
    text = POWER.sub(lambda m: f"{m[1] or 1}e{m[2] or m[3]}", text)
    for match in NUMBER.finditer(text):
        digits, percent = match["digits"], 0.01 if match["percent"] else 1.0
        mantissa, _, exponent = digits.partition("e")
        unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2])) * percent
        written = f"{match['sign'] or ''}{digits}{'%' if match['percent'] else ''}"
        value = float(digits) * percent * (-1 if match["sign"] == "-" else 1)
        yield Number(written, value, unit / 2)


def to_check(text: str) -> Iterator[Number]:
    """Yield the numbers of a text that must be found."""
    for number in parse(text):
        if not number.written.strip("+-").isdigit() or abs(number.value) > SMALL:
            yield number


def texts(cell: Any) -> str:
    """Return what a reader reads of a cell: its Markdown, or its caption and alt text."""
    if cell.cell_type != "code":
        return str(cell.source)
    about = cell.metadata.get("mystnb", {})
    parts = (about.get("figure", {}).get("caption", ""), about.get("image", {}).get("alt", ""))
    return "\n".join(map(str, parts))


def declared(cell: Any) -> dict[str, str]:
    """Return the numbers that a cell's metadata declares: {as written: expression}."""
    return dict(cell.metadata.get("dlnotes", {}).get("numbers", {}))


# ---- what a chapter prints or contains ---------------------------------------------


def printed(cell: Any) -> Iterator[float]:
    """Yield the numbers in a cell's outputs, and those that it declares."""
    for written in declared(cell):
        yield from (value(number) for number in parse(written, typeset=False))
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        text = output.get("text", "") + ("" if "image/png" in data else data.get("text/plain", ""))
        for number in parse(text, typeset=False):
            yield value(number)
            if "%" in text:  # in a heading, such as "share (%)"
                yield number.value / 100


def value(number: Number) -> float:
    """Return its value, of type int where it is written as an integer."""
    return int(number.value) if number.written.strip("+-").isdigit() else number.value


def constants(source: str) -> Iterator[float]:
    """Yield the numbers in a cell's code, sums and powers of such included."""
    try:
        tree = ast.parse(re.sub(r"^\s*[%!].*$", "pass", source, flags=re.MULTILINE))
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords = [word for word in node.keywords if word.arg not in LOOKS]
    for node in ast.walk(tree):
        if (number := constant(node)) is not None:
            yield number


def constant(node: ast.AST) -> float | None:
    """Return the value of a constant expression, None for any other."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value  # type: ignore[return-value]
    operands = [getattr(node, name) for name in ("left", "right", "operand") if hasattr(node, name)]
    values = [constant(operand) for operand in operands]
    function = OPERATORS.get(type(getattr(node, "op", None)))
    if function is None or not values or None in values:
        return None
    try:
        return function(*values)
    except (ArithmeticError, ValueError):  # 1 / 0, the root of a negative number
        return None


# ---- the rule ----------------------------------------------------------------------


def problems(nb: Any) -> Iterator[tuple[Any, str]]:
    """Yield the cells whose text holds a number that nothing shows, and what to do."""
    code = [list(constants(cell.source)) if cell.cell_type == "code" else [] for cell in nb.cells]
    outputs = [list(printed(cell)) for cell in nb.cells]
    for cell, section in zip(nb.cells, sections(nb), strict=True):
        yield from ((cell, text) for text in declaration_problems(cell))
        for number in dict.fromkeys(to_check(texts(cell))):
            local = digits(number) < LONG and any(code[i] or outputs[i] for i in section)
            where = section if local else range(len(code))
            found = number.written in declared(cell)
            found = found or any(number.is_constant(value) for i in where for value in code[i])
            if not (found or any(number.equals(value) for i in where for value in outputs[i])):
                yield cell, REMEDY.format(number.written, "section" if local else "chapter")


def declaration_problems(cell: Any) -> Iterator[str]:
    """Yield what is wrong with the declarations of a cell, as far as that can be seen."""
    written = {number.written for number in parse(texts(cell))}
    for key, expression in declared(cell).items():
        if key not in written:
            known = ", ".join(sorted(written)) or "none"
            yield f"declares the number {key}, which is not in its text (there: {known}): remove it"
        if expression.startswith("https://"):
            if expression not in cell.source:
                yield f"cites {expression} for the number {key}, and does not link it"
            continue
        try:
            tree = ast.parse(expression, mode="eval")
            computes = any(isinstance(node, ast.Name | ast.BinOp) for node in ast.walk(tree))
        except SyntaxError:
            computes = False
        if not computes:
            yield f"declares {key} as {expression!r}, which computes nothing"


def sections(nb: Any) -> list[range]:
    """Return for each cell the indices of the cells in its section.

    A cell with a heading in its middle belongs to both sections.
    """
    markdown = [cell.source if cell.cell_type != "code" else "" for cell in nb.cells]
    heads = [i for i, text in enumerate(markdown) if HEADING.search(APART.sub(" ", text))]
    found = []
    for i, text in enumerate(markdown):
        before = [head for head in heads if head < i + bool(HEADING.match(text))]
        after = [head for head in heads if head > i]
        found.append(range(max(before, default=0), min(after, default=len(nb.cells) - 1) + 1))
    return found


def digits(number: Number) -> int:
    """Return how many significant digits are written."""
    mantissa = number.written.strip("+-%").partition("e")[0]
    return len(mantissa.replace(".", "").lstrip("0") if "." in mantissa else mantissa.strip("0"))


# ---- in the kernel -----------------------------------------------------------------


def to_evaluate(nb: Any) -> Iterator[tuple[Any, str, str]]:
    """Yield each declaration that is computed: the cell, the number, the code to run."""
    for cell in nb.cells:
        for written, expression in declared(cell).items():
            if not expression.startswith("https://"):
                yield cell, written, f"float({expression})"


def disagreement(written: str, outputs: list[Any]) -> str:
    """Return how the declared number differs from what its code gave, '' if it does not."""
    (number,) = parse(written, typeset=False)
    text = "".join(output.get("data", {}).get("text/plain", "") for output in outputs)
    errors = [f"{out.ename}: {out.evalue}" for out in outputs if out.output_type == "error"]
    if errors or not text:
        return f"the declared number {written} cannot be computed: {'; '.join(errors)}"
    if not number.equals(float(text)):
        return f"the text says {written}, and its declaration gives {text}: correct one of them"
    return ""
