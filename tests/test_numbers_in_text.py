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


@pytest.mark.parametrize(
    ("written", "fits", "does_not"),
    [
        ("0.25", [0.245, 0.255, -0.25], [0.2449, 0.2551, 0.0]),
        ("-0.25", [-0.245, -0.255], [0.25, -0.2449]),
        ("+0.25", [0.245], [-0.25]),
        ("25", [24.5, 25, 25.5], [24.4, 26]),
        ("0.1", [0.095, 0.149, 0.15], [0.094, 0.151]),
        ("1.0", [0.95, 1.05], [1, 0.94]),
        ("2.7e-4", [2.65e-4, 2.75e-4], [2.64e-4, 2.76e-4, 2.7e-3]),
        ("1e5", [100_000, 140_000.0], [151_000, 90_000]),
        ("8%", [0.075, 0.085], [0.0749, 0.0851, 8]),
        ("-8%", [-0.08], [0.08]),
        ("100%", [1, 1.0], [0.99, 100]),
    ],
)
def test_a_number_equals_what_rounds_to_it(written, fits, does_not):
    (number,) = numbers_in_text.parse(written)
    assert number.written == written
    assert [value for value in (*fits, *does_not) if number.equals(value)] == fits


@pytest.mark.parametrize(
    ("written", "fits", "does_not"),
    [("0.25", [0.25, -0.25], [0.251]), ("2.51", [2.508], [2.5]), ("60", [60], [60.1, 61])],
)
def test_a_short_number_is_not_rounded_from_code(written, fits, does_not):
    (number,) = numbers_in_text.parse(written)
    assert [value for value in (*fits, *does_not) if number.is_constant(value)] == fits


@pytest.mark.parametrize(
    ("code", "numbers"),
    [
        ("x = -0.5 + 2**3", {0.5, -0.5, 2, 3, 8.0, 7.5}),
        ("1 / 0; (-8) ** 0.5; f(3) * 4; True", {1, 0, 8, -8, 0.5, 3, 4}),
        ("%pip install x==0.7\n!ls 5\ny = 6", {6}),
        ("ax.plot(7, lw=0.4, label=9, figsize=(6.4, 3))", {7, 9}),
        ("no python 3", set()),
        ("3 < y; ~4; z[5:6]", {3, 4, 5, 6}),
    ],
)
def test_what_code_contains(code, numbers):
    assert set(numbers_in_text.constants(code)) == numbers


def output(text, **data):
    stream = nbformat.v4.new_output("stream", name="stdout", text=text)
    shown = nbformat.v4.new_output("display_data", data)
    return nbformat.v4.new_code_cell(outputs=[stream, shown])


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        (
            output("loss 0.5 -17%", **{"text/plain": "[1.  2.5]"}),
            {0.5, 0.005, -0.17, -0.17 / 100, 1.0, 2.5},
        ),
        (output("", **{"text/plain": "<Figure 921.6x475.2>", "image/png": ""}), set()),
        (output("share (%)\n0.5 10"), {0.5, 0.005, 10, 0.1}),
        (output("in 1986 `3` [4](5) 1,000"), {1986, 3, 4, 5, 1000}),
        (nbformat.v4.new_markdown_cell("7"), set()),
    ],
)
def test_what_a_cell_prints(cell, numbers):
    assert set(numbers_in_text.printed(cell)) == numbers


# ---- a small chapter ---------------------------------------------------------------

CODE = "rate = 0.01\npath = np.linspace(3.6, 5.0867, 26)\nplt.figure(figsize=(6.4, 3.3))"
LIMITS = "20 of 20, and 21 is not; 0.75 is not, and 0.314 is"
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


def test_where_the_limits_lie():
    """Integers above 20 are looked for, and numbers of three digits in the whole chapter."""
    assert [re.search(r"says (\S+),", message)[1] for message in found(text=LIMITS)] == [
        "21",
        "0.75",
    ]


def test_a_text_with_a_heading_in_its_middle_belongs_to_both_sections():
    assert found(text="rate $0.01$\n\n## Next\n\nno code, 8 %") == []
    assert len(found(text="## Next\n\n$0.01$ and 0.75")) == 1
    assert len(found(text="```\n## no heading\n```\n0.75")) == 1


def test_sections_end_at_headings_and_overlap_where_one_stands_inside_a_cell():
    nb = nbformat.v4.new_notebook()
    for text in ("# T", None, "## A", None, "end of A\n\n## B\n\nbegin", None, "### C", None):
        new = nbformat.v4.new_markdown_cell if text else nbformat.v4.new_code_cell
        nb.cells.append(new(text or "# no heading"))
    ranges = [(section.start, section.stop) for section in numbers_in_text.sections(nb)]
    assert ranges == [(0, 3), (0, 3), (2, 5), (2, 5), (2, 7), (4, 7), (6, 8), (6, 8)]
    del nb.cells[::2]
    assert numbers_in_text.sections(nb) == [range(0, 4)] * 4


@pytest.mark.parametrize("bare", [{"source": "print(y)"}, {"outputs": []}])
def test_a_section_with_code_or_outputs_is_enough(bare):
    nb = chapter(text="0.75")
    nb.cells[4].update(bare)
    assert [text for _, text in numbers_in_text.problems(nb)] != []


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
