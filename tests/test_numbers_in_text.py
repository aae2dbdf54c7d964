"""Numbers in the text: what is read as a number, what settles it, which faults fail."""

import re

import nbformat
import pytest

from tools import numbers_in_text

# ---- reading ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("$5{,}000$ or 5 000 or 5,000 or $5\\,000$ or 5\u2009000", ["5000"] * 5),
        ("$2.7\\cdot 10^{-4}$, 2.7·10⁻⁴, $2.7 \\times 10^{-4}$, 2.7e-4", ["2.7e-4"] * 4),
        ("$10^{-11}$ or 10⁻¹¹", ["1e-11"] * 2),
        ("8 %, 8%, $8\\%$, $8\\,\\%$, $8$ %, 8 per cent", ["8%"] * 6),
        ("from $-2.29$, −2.29, -2.29, minus 2.29, ($-2.29$), $=-2.29$", ["-2.29"] * 6),
        ("$x - 0.5$, $x-0.5$, 0.1−0.5, 0.1-0.5", ["0.5", "0.5", "0.1", "0.5", "0.1", "0.5"]),
        ("gains $+0.148$ or plus 0.148", ["+0.148"] * 2),
        ("0.1–0.5, 0.1 to 0.5, 30-fold", ["0.1", "0.5", "0.1", "0.5", "30"]),
        ("$0.5^{100}$, $2.5x$, 180°, $\\sqrt{25}$", ["0.5", "100", "2.5", "180", "25"]),
        ("| 0.25 | 30 |", ["0.25", "30"]),
        ("in 1847 [in 1986](https://a.b/0.7) (1951) in 2000 steps", ["2000"]),
        ("chapter 21, chapters 21, 22 and 23; PyTorch 2.13 and version 1.2", []),
        ("`0.9` ```\nx = 0.8\n``` <img width='400'> ResNet-50 float32 w_{25} 1.2.3", []),
        ("the 21st, 42nd, 33rd and 100th", []),
        ("# “The slope is 26.3”\nno", []),
        ("20 steps, 7 times, $\\tfrac12$, $\\frac{3}{4}$, 1/20, “2 of 5”", []),
        ("$0 < \\eta$ and $x > 0.35$", ["0.35"]),
    ],
)
def test_what_is_read(text, written):
    assert [number.written for number in numbers_in_text.to_check(text)] == written


# ---- a small chapter ---------------------------------------------------------------

CODE = "rate = 0.01\npath = np.linspace(3.6, 5.0867, 26)\nplt.figure(figsize=(6.4, 3.3))"
PRINTED = "   x     f(x)\n3.600   -5.735\n5.087  -24.083\n1 of 400: 0.0823\n"


def chapter(text="", caption="", declared=None, summary=""):
    """Return a chapter of two sections; the second has the text and the code that is searched."""
    code, markdown = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    about = {"dlnotes": {"numbers": declared}} if declared else {}
    nb = nbformat.v4.new_notebook()
    nb.cells = [
        markdown("# Title"),
        code("y = 0.75\nz = 0.3141", execution_count=1),
        markdown("## Descent", id="head"),
        markdown(text, id="text", metadata=about),
        code(CODE, id="code", metadata={"mystnb": {"figure": {"caption": caption}}}),
        markdown(f"## Summary\n\n{summary}"),
    ]
    nb.cells[4].outputs = [nbformat.v4.new_output("stream", name="stdout", text=PRINTED)]
    return nb


def found(**changes):
    return [text for _, text in numbers_in_text.problems(chapter(**changes))]


@pytest.mark.parametrize(
    "text",
    [
        "starts at $3.6$ with rate $0.01$, ends at $5.087$ or 5.09, where $f = -24.08$ or $24.1$",
        "in 400 trials 8 % or $0.082$, from z = 0.3141",
    ],
)
def test_what_is_shown_may_be_said(text):
    assert found(text=text) == found(caption=text) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("ends at $5.807$", "5.807"),
        ("ends at $5.088$", "5.088"),
        ("falls to $+24.083$", "+24.083"),
        ("a share of 18 %", "18%"),
        ("a share of 80 %", "80%"),
        ("the rate 0.1", "0.1"),
        ("the rate 0.012", "0.012"),
        ("52 steps", "52"),
        ("the start 3.7", "3.7"),
        ("a width of 6.4", "6.4"),
        ("the 0.75 of another section", "0.75"),
        ("$1.0$ is no integer", "1.0"),
        ("$10^{-7}$", "1e-7"),
    ],
)
def test_what_is_not_shown_is_reported(text, number):
    for where in ("text", "caption"):
        (message,) = found(**{where: text})
        assert f"the text says {number}, which no code cell of the " in message
        assert f'{{"dlnotes": {{"numbers": {{"{number}": "expression"}}}}}}' in message


def test_a_section_without_code_is_compared_with_the_whole_chapter():
    assert found(summary="$0.75$, and about $0.08$") == []
    (message,) = found(summary="about $0.09$")
    assert "the text says 0.09, which no code cell of the chapter prints" in message


def test_a_declared_number_is_settled_and_settles_its_section():
    assert found(text="$-2.29$ and 25 %", declared={"-2.29": "path[0]", "25%": "1 / 4"}) == []
    assert found(text="$-2.29$", caption="At −2.29.", declared={"-2.29": "path[0]"}) == []


@pytest.mark.parametrize(
    ("text", "declared", "message"),
    [
        ("$-2.92$", {"-2.29": "path[0]"}, "declares the number -2.29, which is not in its text"),
        ("$-2.29$", {"-2.29": "-2.29"}, "computes nothing"),
        ("$-2.29$", {"-2.29": "path["}, "computes nothing"),
        ("175 billion", {"175": "https://a.b/c"}, "cites https://a.b/c .* does not link it"),
    ],
)
def test_faulty_declarations(text, declared, message):
    assert any(re.search(message, problem) for problem in found(text=text, declared=declared))


def test_a_cited_number_names_its_source_and_is_not_computed():
    nb = chapter(text="175 billion [weights](https://a.b/c)", declared={"175": "https://a.b/c"})
    assert list(numbers_in_text.problems(nb)) == []
    assert list(numbers_in_text.to_evaluate(nb)) == []
