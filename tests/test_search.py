"""The search page of the built book, as a reader uses it; from disk unless it says otherwise.

`QUERIES` is what it is measured by: each needs a section that answers it among the first
three hits. Of the 40, Sphinx's own search found 2 (and 25 pages), lunr.js 21, MiniSearch 25.
"""

import gzip
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import needs_chromium
from bs4 import BeautifulSoup
from built import DOCUMENTS, HTML, ROOT, fresh_book  # noqa: F401  refuses an old book here too
from explorers import settle
from test_book import AUDIT, AXE, SCREENS, WCAG, WEIGHT_LIMIT, every_screen, opened
from test_book_extension import build, code

SEARCH = (HTML / "search.html").as_uri()
GLOSSARY = "book/glossary#term-"
LEARNING_RATE = "01_gradients#the-learning-rate-too-small-right-too-large"
GRADIENT = "01_gradients#many-numbers-at-once-the-gradient"
BACKPROPAGATION = "07_backpropagation#backpropagation-computes-gradient-descent-updates"
# query: sections that answer it. In _toc.yml's names; without a folder: notebooks.
QUERIES = {
    "gradient": [GRADIENT],
    "learning rate": [LEARNING_RATE],
    "backpropagation": [BACKPROPAGATION, "07_backpropagation#backpropagation-by-hand"],
    # slips of the pen, and other spellings
    "gardient": [GRADIENT],
    "lerning rate": [LEARNING_RATE],
    "backproagation": [BACKPROPAGATION, "07_backpropagation#backpropagation-by-hand"],
    "initialization": ["05_initialisation#initialisation", "05_initialisation#why-random-at-all"],
    "optimiser": ["08_optimizers#optimizers", "08_optimizers#three-words-that-are-mixed-up"],
    "warmup": ["09_schedules#warm-up-what-it-buys"],
    # Chinese
    "梯度": [GRADIENT],
    "学习率": [LEARNING_RATE],
    "反向传播": [BACKPROPAGATION],
    # names from code
    "nn.Linear": ["05_initialisation#what-nn-linear-really-does"],
    "zero_grad": ["02_autograd#what-goes-wrong-in-practice-the-forgotten-zero-grad"],
    "optimizers.adam": ["08_optimizers#adam"],
    "torch.no_grad": ["02_autograd#not-recording"],
    "clip_grad_norm_": ["07_backpropagation#gradient-clipping"],
    "model.eval()": [
        "10_regularisation#two-modes-and-what-it-costs-to-mix-them-up",
        "myths_regularisation#model-eval-switches-gradients-off",
    ],
    "retain_graph": ["02_autograd#what-the-graph-keeps-and-when-it-lets-go"],
    # words of the field, as the course puts them and as it does not
    "momentum": ["08_optimizers#momentum"],
    "adam": ["08_optimizers#adam"],
    "dropout": ["10_regularisation#dropout"],
    "batch norm": ["10_regularisation#batch-normalisation"],
    "overfitting": ["10_regularisation#a-curve-through-every-point"],
    "vanishing gradients": ["07_backpropagation#products-of-many-factors"],
    "weight decay": ["08_optimizers#weight-decay-inside-the-gradient-or-beside-it"],
    "how to choose the learning rate": [
        LEARNING_RATE,
        "09_schedules#how-high-may-the-peak-be-the-range-test",
        "01_gradients#what-goes-wrong-in-practice",
    ],
    "cross-entropy": [
        "06_losses#one-of-several-classes",
        "06_losses#distributions-entropy-and-which-way-round",
    ],
    "softmax overflow": ["06_losses#where-exponentials-break"],
    "early stopping": ["10_regularisation#early-stopping"],
    "saddle point": ["01_gradients#saddles-delay-and-rarely-hold"],
    "attention mask": ["12_sequences#what-may-be-seen"],
    "xavier": ["05_initialisation#the-recipes-by-name"],
    "universal approximation": ["03_networks#what-a-layer-of-relus-can-express"],
    "LSTM": ["12_sequences#gates"],
    "residual connections": ["12_architectures#depth-what-a-skip-does"],
    "save model": ["11_phone_prices#save-it-so-that-it-works-tomorrow"],
    "dead relu": ["04_activations#when-units-die"],
    '"chain rule"': [
        "02_autograd#a-formula-is-a-graph-of-small-operations",
        "02_autograd#too-many-paths",
        "07_backpropagation#one-output-weight-three-factors",
    ],
    "xor": ["03_networks#a-hidden-layer-learns-xor"],
}


def glossary() -> list[tuple[str, str, str]]:
    """Return the English name, a Chinese name and the explaining section of each entry."""
    text = (ROOT / "book" / "glossary.md").read_text("utf8")
    entry = r"^(.+?) \(([^()]*[\u4e00-\u9fff][^()]*)\)\n: .*\]\(\.\./notebooks/(.*)\.ipynb#(.*)\)$"
    return [
        (english.split(", ")[0], name, plain(f"{page}#{anchor}"))
        for english, chinese, page, anchor in re.findall(entry, text, re.M)
        for name in chinese.split("，")
    ]


def plain(place: str) -> str:
    """Return a place without hyphens: links count the dot of "0.9" as nothing, ids as one."""
    return place.replace("-", "")


def ask(page, query: str) -> list[str]:
    """Type a query, press Enter, and return what the hits lead to: page#anchor."""
    page.fill("form.wide input", query)
    page.press("form.wide input", "Enter")
    links = page.eval_on_selector_all("#hits a", "links => links.map(a => a.getAttribute('href'))")
    return [place(link) for link in links]


def place(link: str) -> str:
    split = urlsplit(link)
    return f"{split.path.removesuffix('.html').removeprefix('notebooks/')}#{split.fragment}"


@pytest.fixture
def search(browser):
    with opened(browser, SEARCH) as page:
        yield page


@pytest.fixture(scope="module")
def index() -> dict:
    script = (HTML / "_static" / "search-index.js").read_text("utf8")
    return json.loads(script.removeprefix("const BOOK = ").rstrip(";\n"))


# What is found


@needs_chromium
def test_the_answer_is_among_the_first_three_hits(search):
    found = {query: ask(search, query)[:3] for query in QUERIES}
    missed = {query for query, hits in found.items() if not set(hits) & set(QUERIES[query])}
    assert missed <= {"softmax overflow"}, {query: found[query] for query in missed}  # the fourth
    assert search.complaints == []


@needs_chromium
def test_each_chinese_term_finds_its_entry_and_the_section_it_leads_to(search):
    terms = glossary()
    assert len(terms) > 100
    for english, chinese, section in terms:
        hits = ask(search, chinese)[:6]
        entries = [hit for hit in hits if hit.startswith(GLOSSARY)]
        headings = search.locator("#hits a").all_inner_texts()[:6]
        assert any(chinese in heading for heading in headings), (english, chinese, headings)
        assert entries, (english, chinese)
        assert section in [plain(hit) for hit in hits], (english, chinese, hits)


@needs_chromium
def test_a_slip_is_named_and_nothing_is_found_for_nonsense(search):
    ask(search, "gardient")
    search.get_by_text("“gardient” is not in the book, shown: “gradient”.").wait_for()
    assert ask(search, "qqxxzzvv") == []
    search.get_by_text("Nothing found for “qqxxzzvv”.").wait_for()


@needs_chromium
def test_code_and_quotations_are_found_letter_by_letter(search):
    for query, said in [("nn.Linear", "nn.Linear"), ('"sum of all"', "sum of all")]:
        assert ask(search, query)
        for hit in search.locator("#hits li").all():
            assert said.lower() in hit.inner_text().lower(), hit.inner_text()


@needs_chromium
def test_a_chapter_comes_before_a_myth_and_a_heading_before_text(search):
    hits = ask(search, "dropout")
    myths = [n for n, hit in enumerate(hits) if hit.startswith("myths_")]
    assert hits[0] == "10_regularisation#dropout"
    assert myths
    assert "dropout" in search.locator("#hits a").nth(1).inner_text().lower()


@needs_chromium
def test_a_hit_shows_where_it_is_and_a_line_around_the_term(search):
    ask(search, "saddle point")
    for hit in search.locator("#hits li").all()[:10]:
        link, context = hit.locator("a"), hit.locator(".context")
        assert len(context.inner_text()) < 260
        marks = hit.locator("mark").all_inner_texts()
        assert any(mark.lower().startswith(("saddle", "point")) for mark in marks)
        assert link.inner_text() in hit.inner_text()
    assert "01 · Gradients and gradient descent" in search.locator("#hits .where").all_inner_texts()


# How it is used


@needs_chromium
def test_it_searches_while_one_types_and_reports_once(search):
    search.evaluate(
        """() => {
        window.said = [];
        new MutationObserver(() => said.push(document.getElementById("hits-status").textContent))
            .observe(document.getElementById("hits-status"), { childList: true });
    }"""
    )
    search.locator("form.wide input").press_sequentially("moment")
    search.locator("#hits a", has_text="Momentum").first.wait_for()
    search.evaluate(
        """() => {
        const form = document.querySelector("form.wide");
        for (const query of ["mom", "momen", "moment", "momentu", "momentum"]) {
            form.q.value = query;
            form.requestSubmit(); // searches at once
        }
    }"""
    )
    search.get_by_text(re.compile(r"^\d+ sections for “momentum”\.$")).wait_for()
    said = search.evaluate("said")
    assert [text for text in said if "momentum" not in text and "“moment”" not in text] == []
    assert len(said) <= 2


@needs_chromium
def test_everything_is_reached_by_keyboard(search):
    search.keyboard.type("learning rate")  # the field has the focus
    search.keyboard.press("Enter")
    focused = "document.activeElement.getAttribute('href') ?? document.activeElement.name"
    hrefs = search.eval_on_selector_all("#hits a", "all => all.map(a => a.getAttribute('href'))")
    assert search.evaluate(focused) == hrefs[0]
    search.keyboard.press("ArrowDown")
    assert search.evaluate(focused) == hrefs[1]
    search.keyboard.press("ArrowUp")
    search.keyboard.press("ArrowUp")
    assert search.evaluate(focused) == "q"
    search.get_by_role("button", name="More").focus()
    search.keyboard.press("Enter")
    assert search.locator("#hits li").count() > len(hrefs)
    search.keyboard.press("Enter")
    search.wait_for_url("**/notebooks/*.html?mark=*")


@needs_chromium
def test_any_page_leads_to_the_search_and_back_to_the_query(browser):
    with opened(browser, (HTML / "book/notation.html").as_uri()) as page:
        page.keyboard.press("/")
        page.keyboard.type("gradient")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?q=gradient")
        page.fill("form.wide input", "momentum")
        page.locator("#hits a", has_text="Momentum").first.click()
        page.wait_for_url("**/08_optimizers.html**")
        page.go_back()
        page.locator("#hits a", has_text="Momentum").first.wait_for()
        assert page.input_value("form.wide input") == "momentum"
        assert page.complaints == []


@needs_chromium
def test_without_javascript_the_page_says_what_to_do(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(SEARCH)
    assert "find in page" in page.locator("noscript").inner_text()
    context.close()


# The page that a hit leads to

MARKED = "[...(CSS.highlights.get('found') ?? [])].map(range => range.toString())"
INSIDE_A_WORD = """[...CSS.highlights.get("found")]
    .map(({ startContainer: { data }, startOffset, endOffset }) =>
        data.slice(Math.max(0, startOffset - 1), endOffset + 1))
    .filter((text) => /^\\w?one\\w?$/i.test(text) && text.length > 3)"""
OUTSIDE = """() => {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const own = place.tagName === "DT" ? [place, place.nextElementSibling] : [place];
    return [...CSS.highlights.get("found")].filter((range) =>
        !own.some((part) => part.contains(range.startContainer))
        || (place.tagName === "SECTION"
            && range.startContainer.parentElement.closest("section") !== place)
    ).map(String);
}"""
TOP = "document.getElementById(location.hash.slice(1)).getBoundingClientRect().top"


@needs_chromium
@pytest.mark.parametrize(
    ("query", "hit", "marked"),
    [
        ("gardient", GRADIENT, {"gradient"}),
        ("nn.Linear", "05_initialisation#what-nn-linear-really-does", {"nn.Linear"}),
        ("学习率", f"{GLOSSARY}learning-rate", {"学习率", "learning", "rate"}),
        ('"chain rule"', "07_backpropagation#one-hidden-weight-two-paths-added", {"chain rule"}),
    ],
)
def test_on_arrival_the_section_is_in_sight_and_the_term_marked(search, query, hit, marked):
    hits = ask(search, query)
    assert hit in hits
    search.locator("#hits a").nth(hits.index(hit)).click()
    search.locator(".unmark").wait_for()
    assert place(search.url).endswith(hit)
    assert {text.lower() for text in search.evaluate(MARKED)} == {text.lower() for text in marked}
    assert search.evaluate(OUTSIDE) == []
    assert 0 <= search.evaluate(TOP) < 300
    height = search.evaluate("document.documentElement.scrollHeight")
    search.keyboard.press("Escape")
    assert search.evaluate(MARKED) == []
    assert search.evaluate("document.documentElement.scrollHeight") == height
    assert not search.locator(".unmark").count()
    assert "mark" not in parse_qs(urlsplit(search.url).query)
    assert search.complaints == []


@needs_chromium
def test_marks_cover_whole_words_and_an_answer_opens_only_if_it_must(browser):
    page = (HTML / "notebooks/02_autograd.html").as_uri()
    with opened(browser, f"{page}?mark=one#backward-adds") as arrived:
        assert {text.lower() for text in arrived.evaluate(MARKED)} == {"one"}
        assert arrived.evaluate(INSIDE_A_WORD) == []
        assert not arrived.evaluate("document.querySelectorAll('details[open]').length")
        assert arrived.evaluate(OUTSIDE) == []
        arrived.get_by_role("button", name="Remove the marks").click()
        assert arrived.evaluate(MARKED) == []
    with opened(browser, f"{page}?mark=gradient#tensors-and-autograd") as arrived:
        arrived.locator(".unmark").wait_for()
        assert arrived.evaluate(OUTSIDE) == []  # the sections below are not what was found


# What it weighs and asks for


def test_only_the_search_page_loads_the_index():
    pages = {path for path in HTML.rglob("*.html") if "search-index.js" in path.read_text("utf8")}
    assert pages == {HTML / "search.html"}
    assert "search-index" not in (HTML / "_static" / "site.js").read_text("utf8")


def test_nothing_of_sphinx_own_search_is_left():
    names = ["searchindex.js", *(f"_static/{name}.js" for name in ("searchtools", "doctools"))]
    names += ["_static/language_data.js", "_static/sphinx_highlight.js", "_static/basic.css"]
    assert [name for name in names if (HTML / name).exists()] == []


def test_the_search_page_is_no_heavier_than_a_chapter(capsys):
    page = HTML / "search.html"
    soup = BeautifulSoup(page.read_text("utf8"), "html.parser")
    names = [tag["src"].partition("?")[0] for tag in soup.select("script[src]")]
    names += [tag["href"].partition("?")[0] for tag in soup.select("link[rel=stylesheet]")]
    assert "_static/search-index.js" in names
    sizes = {
        name: len(gzip.compress((HTML / name).read_bytes())) for name in ["search.html", *names]
    }
    with capsys.disabled():
        print(f"\nsearch: {sum(sizes.values()) / 1024:.0f} KB gzipped", sizes)
    assert sum(sizes.values()) <= WEIGHT_LIMIT


def test_every_section_of_the_book_is_found_at_an_anchor(index):
    anchors: dict[str, set[str]] = {}
    for page, anchor, *_ in index["parts"]:
        anchors.setdefault(index["pages"][page][0], set()).add(anchor)
    assert set(anchors) == {f"{name}.html" for name in DOCUMENTS}
    for name, known in anchors.items():
        soup = BeautifulSoup((HTML / name).read_text("utf8"), "html.parser")
        there = {section["id"] for section in soup.select("article section[id]")}
        assert there <= known
        assert known <= {tag["id"] for tag in soup.select("article [id]")}
    assert all(section >= 0 for *_, section in index["terms"])
    assert len(index["terms"]) == (ROOT / "book/glossary.md").read_text("utf8").count("\n: ")


@needs_chromium
def test_nobody_else_is_asked_and_nothing_moves(browser):
    for query in ("学习率", "nn.Linear"):
        with opened(browser, f"{SEARCH}?q={query}") as page:
            page.locator("#hits a").first.click()
            page.locator(".unmark").wait_for()
            page.wait_for_timeout(300)
            assert page.evaluate("shift") < 0.01
            assert [
                url for url in page.requested if not url.startswith((HTML.as_uri(), "data:"))
            ] == []
            assert page.complaints == []


@needs_chromium
@every_screen
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_hits_and_marks(browser, screen, theme):
    with opened(browser, f"{SEARCH}?q=nn.Linear", screen, theme) as page:
        for _ in range(2):
            page.evaluate(AXE.read_text("utf8"))
            settle(page)
            options = {"runOnly": {"type": "tag", "values": WCAG}}
            found = page.evaluate(AUDIT, [options, None])
            nodes = [(v["id"], n["html"][:200]) for v in found["violations"] for n in v["nodes"]]
            assert nodes == []
            assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen][0]
            if page.locator(".unmark").count():
                break
            page.goto(f"{(HTML / 'book/glossary.html').as_uri()}?mark=gradient#term-gradient")
            page.locator(".unmark").wait_for()


# The index of another book


PAGE = """
Text of the page.

```{py:module} tool
```
````{py:class} Machine(size)
A thing that runs.

```{py:method} start(speed)
Let it go.
```
````

## Words

gain (增益)
: The factor. [There](chapter.ipynb#a-part)

plain
: No other name.
"""


def test_objects_terms_and_cells_of_any_book_are_indexed(tmp_path):
    import nbformat

    output = nbformat.v4.new_output("stream", name="stdout", text="printed 42")
    cells = [
        nbformat.v4.new_markdown_cell("## A part\n\nWith $x^2$ in it."),
        code('answer = tool.Machine("quoted.text")  # tool.comment\ntool.after_it()', output),
        code("# @title Solution\nhidden.solution()", tags=["hide-cell"]),
    ]
    status, log = build(tmp_path, cells, PAGE)
    assert status == 0, log
    path = tmp_path / "_build/html/_static/search-index.js"
    data = json.loads(path.read_text("utf8").removeprefix("const BOOK = ").rstrip(";\n"))
    assert [page[0] for page in data["pages"]] == ["page.html", "chapter.html"]
    parts = {part[1]: part[2:] for part in data["parts"]}
    assert parts["a-page"] == ["A page", "Text of the page.", ""]
    assert parts["tool.Machine"] == [
        "tool.Machine",
        "class Machine(size) A thing that runs.",
        "",
    ]
    assert parts["tool.Machine.start"][0] == "tool.Machine.start"
    assert parts["a-part"] == ["A part", "With x2 in it.", "tool.Machine tool.after_it"]
    assert parts["term-plain"] == ["plain", "No other name.", ""]
    numbers = [part[1] for part in data["parts"]]
    assert data["terms"] == [
        [["gain"], ["增益"], numbers.index("term-gain"), numbers.index("a-part")]
    ]
