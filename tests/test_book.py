"""The built book, as files and in a browser. ``make book`` builds it; these tests only read.

Pages are opened over http and from disk, on a wide and a narrow screen, in light and in
dark. What the local Sphinx extension does by itself is tested in test_book_extension.py.
"""

import base64
import functools
import gzip
import importlib
import io
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import axe_playwright_python
import nbformat
import numpy as np
import pytest
from browser import needs_chromium
from bs4 import BeautifulSoup
from built import (
    DOCUMENTS,
    HTML,
    NOTEBOOKS,
    ROOT,
    every_document,
    every_notebook,
    fresh_book,  # noqa: F401  refuses an old book
    soup,
)
from course import figures
from markdown_it import MarkdownIt
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from PIL import Image

PAGES = [*DOCUMENTS, "search"]
CHAPTER = "notebooks/01_gradients"
SCREENS = {"desktop": (1280, 900), "phone": (390, 844)}
WEIGHT_LIMIT = 450 * 1024  # bytes, gzipped, for the chapter and everything that it loads
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]

every_page = pytest.mark.parametrize("name", PAGES)
every_screen = pytest.mark.parametrize("screen", SCREENS)
every_theme = pytest.mark.parametrize("theme", ["light", "dark"])


# As files


def count_formulas(markdown: str) -> int:
    """Count the formulas of a Markdown text as Jupyter and Colab see them."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.use(dollarmath_plugin).use(amsmath_plugin)
    tokens = parser.parse(markdown)
    tokens += [child for token in tokens for child in token.children or []]
    return sum(token.type.startswith(("math_", "amsmath")) for token in tokens)


def docstring_formulas(module: str) -> int:
    """Count the formulas in the docstrings of a module, in reStructuredText."""
    source = Path(importlib.import_module(module).__file__).read_text("utf8")
    return len(re.findall(r":math:`|\.\. math::", source))


def source_formulas(name: str) -> int:
    if name not in NOTEBOOKS:
        text = (ROOT / f"{name}.md").read_text("utf8")
        modules = re.findall(r"^\.\. automodule:: (\S+)$", text, re.M)
        return count_formulas(text) + sum(map(docstring_formulas, modules))
    total = 0
    for cell in nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells:
        caption = cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "")
        total += count_formulas(cell.source if cell.cell_type == "markdown" else caption)
    return total


@every_document
def test_every_formula_is_typeset(name):
    article = soup(name).find("article")
    assert len(article.find_all("mjx-container")) == source_formulas(name)
    assert not article.select("mjx-container:not(:has(math)), [data-mjx-error], merror")


@every_document
def test_every_glyph_of_a_formula_is_on_the_page(name):
    page = soup(name)
    used = {use["href"].removeprefix("#") for use in page.find_all("use")}
    assert used <= {path["id"] for path in page.select("svg.glyphs path")}


@every_document
def test_no_raw_tex_or_markup_is_printed(name):
    article = BeautifulSoup(str(soup(name).find("article")), "html.parser")
    for part in article.find_all(["code", "pre", "mjx-container", "script", "style"]):
        part.decompose()
    raw = r"\$|\\[(\[a-zA-Z]|\{[a-z]+\}`|^:::|\|[-—:]+\|"  # formulas, roles, fences, tables
    assert not re.search(raw, article.get_text(), re.M)


@every_page
def test_every_image_says_what_it_shows_and_keeps_its_place(name):
    images = soup(name).find_all("img")
    for image in images:
        assert figures.describes(image["alt"]), image
        path = (HTML / name).parent / image["src"]
        with Image.open(path) as picture:
            ratio = picture.width / picture.height
        assert int(image["width"]) / int(image["height"]) == pytest.approx(ratio, rel=0.01)
    assert [image.get("loading") for image in images[1:]] == ["lazy"] * len(images[1:])


@every_notebook
def test_figures_are_numbered_from_one_on_each_page(name):
    numbers = [tag.get_text(strip=True) for tag in soup(name).select(".caption-number")]
    assert numbers == [f"Figure {n}" for n in range(1, len(numbers) + 1)]
    assert len(numbers) == len(soup(name).select("figure img"))


@every_notebook
def test_every_figure_looks_like_the_one_in_the_notebook(name):
    stored = [
        base64.b64decode(output.data["image/png"])
        for cell in nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    shown = [HTML / Path(name).parent / image["src"] for image in soup(name).find_all("img")]
    assert len(shown) == len(stored)
    assert stored or name.startswith("notebooks/myths_")  # they need none
    for png, path in zip(stored, shown, strict=True):
        with Image.open(io.BytesIO(png)) as before, Image.open(path) as after:
            pixels = [np.asarray(image.convert("RGBA"), float) for image in (before, after)]
        error = np.sqrt(np.mean((pixels[0] - pixels[1]) ** 2))
        assert error < 0.9, f"{path.name}: {error:.2f} levels of 255, root mean square"


@every_notebook
def test_a_dark_copy_shows_the_same_in_colours_of_the_same_name(name):
    """Ink and paper change places; what is blue is blue, as light against the rest."""
    for source in soup(name).select("picture > source"):
        folder = HTML / Path(name).parent
        with Image.open(folder / source.parent.img["src"]) as light:
            before = np.asarray(light.convert("RGB"), int).reshape(-1, 3)
        with Image.open(folder / source["srcset"]) as dark:
            assert dark.size == light.size
            after = np.asarray(dark.convert("RGB"), int).reshape(-1, 3)
        assert (after[(before == 255).all(1)] == [0x15, 0x18, 0x1C]).all()
        assert after[(before < 60).all(1)].min(initial=255) > 190, source
        strong = np.ptp(before, axis=1) > 120  # blue, orange, green, amber at full strength
        same = after[strong].argmax(1) == before[strong].argmax(1)
        assert same.sum() >= 0.98 * len(same), source


@every_notebook
def test_what_draws_an_image_has_no_dark_copy(name):
    """By the code that the page itself shows; an inverted digit or map would be another."""
    cells = soup(name).select(".cell:has(img)")
    shades = [cell for cell in cells if re.search("imshow|surface\\(|cmap", cell.get_text())]
    assert [cell.find("source") for cell in shades] == [None] * len(shades)
    drawn = len(cells) - len(shades)
    assert len(soup(name).select("picture")) > drawn / 2 or not drawn


@every_page
def test_internal_links_and_anchors_exist(name):
    page = soup(name)
    for tag, attribute in [("a", "href"), ("link", "href"), ("script", "src"), ("img", "src")]:
        for element in page.find_all(tag, attrs={attribute: True}):
            link = urlsplit(element[attribute])
            if link.scheme:
                assert tag == "a", f"{element} is loaded from elsewhere"
                assert link.scheme in {"https", "mailto"}, element
                continue
            target = ((HTML / name).parent / unquote(link.path)) if link.path else None
            assert target is None or target.is_file(), f"{element}: no such file"
            if link.fragment and (target is None or target.suffix == ".html"):
                there = ids(target or HTML / f"{name}.html")
                assert unquote(link.fragment) in there, f"{element}: no such anchor"


@functools.cache
def ids(path: Path) -> Counter[str]:
    """Return how often a page has each id. A pattern is enough: a parser takes 20 times as long."""
    return Counter(re.findall(r'<[^<>]*\sid="([^"]+)"', path.read_text("utf8")))


@every_page
def test_ids_are_unique(name):
    found = ids(HTML / f"{name}.html")
    assert {tag["id"] for tag in soup(name).find_all(id=True)} == set(found)
    assert [name for name, count in found.items() if count > 1] == []


# In a browser


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Serve the built book on this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=HTML))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def opened(browser, address, screen="desktop", theme="light"):
    """Open an address, load its lazy images, and collect what it asked for and logged."""
    width, height = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.requested, page.complaints = [], []
    page.on("request", lambda request: page.requested.append(request.url))
    page.on("console", lambda message: page.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: page.complaints.append(f"error: {error}"))
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach("
        "e => { if (!e.hadRecentInput) shift += e.value })).observe("
        "{type: 'layout-shift', buffered: true})"
    )
    page.goto(address)
    page.evaluate(
        """async () => {
        for (let y = 0; y < document.body.scrollHeight; y += 600) {
            scrollTo(0, y);
            await new Promise(done => setTimeout(done, 20));
        }
        // On a busy machine no frame may be drawn while a lazy image is in sight; it would
        // never be asked for, and decode() wait for it without end.
        for (const image of document.images) image.loading = "eager";
        await Promise.all([...document.images].map(image => image.decode()));
        scrollTo(0, 0);
        await new Promise(done => setTimeout(done, 50));
        }"""
    )
    try:
        yield page
    finally:
        context.close()


# A page costs more to open than to look at: each is opened twice, as most will read it, and
# the tests share what is open. The one that changes it comes last.
VISITS = {"desktop": ("http", "light"), "phone": ("file", "dark")}


@pytest.fixture(
    scope="module",
    params=[(screen, name) for name in PAGES for screen in VISITS],
    ids="-".join,
)
def visited(request, browser, site):
    """A page on a desktop over http, in light, or on a phone from disk, in dark."""
    screen, name = request.param
    scheme, theme = VISITS[screen]
    base = site if scheme == "http" else HTML.as_uri()
    with opened(browser, f"{base}/{name}.html", screen, theme) as page:
        page.base, page.name, page.screen = base, name, screen
        yield page


@needs_chromium
def test_pages_ask_nobody_else_and_log_nothing(visited):
    own = (visited.base, "data:", "blob:")
    assert [url for url in visited.requested if not url.startswith(own)] == []
    assert visited.complaints == []


@needs_chromium
def test_nothing_moves_while_a_page_loads(visited):
    assert visited.evaluate("shift") < 0.01


@needs_chromium
def test_weight_of_a_page(visited, capsys):
    asked = {url.partition("?")[0] for url in visited.requested if url.startswith(visited.base)}
    files = {HTML / unquote(url.removeprefix(visited.base + "/")) for url in asked}
    weights: Counter[str] = Counter()
    for file in files:
        content = file.read_bytes()
        if file.suffix in {".html", ".css", ".js", ".svg"}:
            content = gzip.compress(content)
        weights[file.suffix if file.suffix == ".webp" else file.name] += len(content)
    total = sum(weights.values())
    with capsys.disabled():
        parts = ", ".join(f"{name} {size / 1024:.1f}" for name, size in weights.most_common())
        print(f"\n{visited.name}: {total / 1024:.0f} KB gzipped in {len(files)} requests ({parts})")
    assert total <= WEIGHT_LIMIT


AUDIT = "([options, of]) => axe.run(of ?? document, {resultTypes: ['violations'], ...options})"
NO_COLOURS = {
    "runOnly": {"type": "tag", "values": WCAG},
    "rules": {"color-contrast": {"enabled": False}},
}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
# axe looks at each node by itself. Texts whose elements are alike all the way up have the same
# colours: the first of each kind is enough, and what repeats its kind in code may be plain text.
# The glyphs of a formula are none of axe's business.
ONE_OF_EACH_KIND = """() => {
    const NO_LOOKS = ["id", "href", "title", "for", "name", "value", "aria-label"];
    const kinds = new Map();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        if (!texts.currentNode.data.trim()) continue;
        let kind = "";
        const element = texts.currentNode.parentElement;
        for (let one = element; one; one = one.parentElement) {
            const own = [...one.attributes].filter(({name}) => !NO_LOOKS.includes(name));
            kind += [one.localName, ...own.map(({name, value}) => name + value), ""].join("|");
        }
        if (!kinds.has(kind)) kinds.set(kind, element);
    }
    const kept = new Set();
    for (let one of kinds.values()) for (; one; one = one.parentElement) kept.add(one);
    for (const word of document.querySelectorAll("pre span, .sig span")) {
        if (!kept.has(word) && !word.querySelector("a")) word.replaceWith(...word.childNodes);
    }
    for (const svg of document.querySelectorAll("mjx-container svg")) svg.replaceChildren();
    return [...kinds.values()];
}"""


@needs_chromium
def test_axe_finds_nothing_and_nothing_overflows(visited):
    """With all that is folded open. It takes much from the page: no test of it may follow."""
    visited.evaluate(AXE.read_text("utf8"))
    visited.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    width, _ = SCREENS[visited.screen]
    assert visited.evaluate("document.documentElement.scrollWidth") <= width
    kinds = visited.evaluate_handle(ONE_OF_EACH_KIND)
    for options, elements in ((NO_COLOURS, None), (COLOURS, kinds)):
        found = visited.evaluate(AUDIT, [options, elements])
        assert [
            (violation["id"], node["html"][:200], node["failureSummary"])
            for violation in found["violations"]
            for node in violation["nodes"]
        ] == []
        assert found["passes"], "axe looked at nothing"


@needs_chromium
def test_the_list_of_the_page_follows_the_reader(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html") as page:
        links = page.locator(".onpage a")
        current = page.locator(".onpage [aria-current]")
        for number in (5, 2):
            links.nth(number).click()
            page.wait_for_function(
                "text => document.querySelector('.onpage [aria-current]')?.textContent === text",
                arg=links.nth(number).text_content(),
            )
        page.mouse.move(600, 500)
        page.mouse.wheel(0, 20_000)
        page.wait_for_function(
            "text => document.querySelector('.onpage [aria-current]').textContent !== text",
            arg=links.nth(2).text_content(),
        )
        assert current.count() == 1


@needs_chromium
@every_screen
def test_images_have_their_place_before_they_arrive(browser, site, screen):
    heights, waiting = {}, []
    for arrive in (True, False):
        width, height = SCREENS[screen]
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        if not arrive:
            page.route("**/_images/*", lambda route: waiting.append(route))
        page.goto(f"{site}/{CHAPTER}.html", wait_until="domcontentloaded")
        page.locator("[data-mounted]").first.wait_for()
        if arrive:
            page.evaluate(
                """async () => {
                for (const image of document.images) image.loading = "eager";
                await Promise.all([...document.images].map(image => image.decode()));
            }"""
            )
        heights[arrive] = page.evaluate("document.body.scrollHeight")
        assert bool(waiting) is not arrive
        for route in waiting:
            route.abort()
        context.close()
    assert heights[True] == heights[False]


@needs_chromium
def test_formulas_stand_on_the_line_and_match_the_text(browser, site):
    with opened(browser, f"{site}/book/notation.html") as page:
        letter, ex = page.evaluate(
            """() => {
            const formula = [...document.querySelectorAll("td mjx-container")]
                .find(box => box.querySelector("math").textContent === "N");
            const probe = document.createElement("span");
            probe.style.cssText = "display: inline-block; width: 1ex; height: 1ex";
            formula.parentElement.after(probe);
            return [formula.querySelector("use"), probe].map(e => e.getBoundingClientRect());
        }"""
        )
        assert letter["bottom"] == pytest.approx(ex["bottom"], abs=0.5)
        # a capital of the formulas' font is 683 units high, its x-height 442
        assert letter["height"] / ex["height"] == pytest.approx(683 / 442, rel=0.05)


@needs_chromium
@every_theme
def test_wide_regions_scroll_by_keyboard_and_others_are_no_stops(browser, site, theme):
    with opened(browser, f"{site}/{CHAPTER}.html", "phone", theme) as page:
        wrong = page.evaluate(
            """() => [...document.querySelectorAll(".scroll, .text_html, article pre")]
            .filter(box => box.checkVisibility({contentVisibilityAuto: true}))
            .filter(box => (box.scrollWidth > box.clientWidth + 1) !== (box.tabIndex === 0))
            .map(box => box.outerHTML.slice(0, 200))"""
        )
        assert wrong == []
        assert page.locator("article [tabindex='0'][role=region]").count() > 0


@needs_chromium
def test_explorer_answers_mouse_and_keyboard(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html") as page:
        explorer = page.locator("[data-dlnotes-explorer='descent']").first
        explorer.scroll_into_view_if_needed()
        picture = explorer.locator(".dlx-surface")
        path = picture.locator(".dlx-trace")

        def redrawn(before: str) -> str:
            """Wait for another path (it is drawn with the next frame) and return it."""
            page.wait_for_function(
                "([path, before]) => path.getAttribute('points') !== before",
                arg=[path.element_handle(), before],
                timeout=5000,
            )
            return path.get_attribute("points")

        seen = [picture.screenshot()]
        slider = explorer.get_by_label("Learning rate")
        slider.focus()
        start = path.get_attribute("points")
        page.keyboard.press("ArrowLeft")
        slid = redrawn(start)
        seen.append(picture.screenshot())

        box = picture.bounding_box()
        page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"])
        redrawn(slid)
        page.mouse.move(0, 0)
        seen.append(picture.screenshot())
        assert len(set(seen)) == 3, "the picture did not change"
        assert page.complaints == []


@needs_chromium
def test_colours_follow_the_system_and_the_button_and_are_kept(browser, site):
    paper = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, f"{site}/{CHAPTER}.html", theme="dark") as page:
        dark = page.evaluate(paper)
        button = page.get_by_role("button", name="Colours")
        button.click()
        light = page.evaluate(paper)
        assert light != dark
        page.goto(f"{site}/book/start.html")
        assert page.evaluate(paper) == light
        button.click()
        assert page.evaluate(paper) == dark
        button.click()
        assert "as the system" in button.inner_text()


SHOWN = "[...document.images].map(image => image.currentSrc.includes('-dark-'))"


@needs_chromium
def test_figures_follow_the_colours_of_the_page_and_are_light_on_paper(browser, site):
    copies = len(soup(CHAPTER).select("picture"))
    with opened(browser, f"{site}/{CHAPTER}.html", theme="dark") as page:
        button = page.get_by_role("button", name="Colours")

        def shown(count):
            page.wait_for_function(f"{SHOWN}.filter(Boolean).length === {count}", timeout=5000)

        shown(copies)
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        shown(0)
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        shown(copies)
        button.click()  # light, whatever the system says
        shown(0)
        page.emulate_media(color_scheme="light")
        button.click()  # dark
        shown(copies)


PRINTED = """box => {
    const [style, path] = [box, box.querySelector(".dlx-trace")].map(e => getComputedStyle(e));
    const drawn = [...box.querySelectorAll(".dlx-plot")]
        .map(plot => plot.getBoundingClientRect())
        .flatMap(({ width, height }) => [width / box.currentCSSZoom, height / box.currentCSSZoom]);
    return { paper: style.backgroundColor, path: path.stroke, drawn };
}"""


@needs_chromium
def test_a_page_prints_light_and_without_what_is_folded(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html", theme="dark") as page:
        code = page.locator(".tag_hide-input > details")
        solution = page.locator(".tag_solution > details").first
        code.nth(1).locator("summary").click()
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        assert not code.first.is_visible()
        assert code.nth(1).locator("pre").is_visible()  # the reader has opened it
        assert solution.locator("summary").is_visible()
        assert not solution.locator("pre").first.is_visible()
        note = "getComputedStyle(document.querySelector('article'), '::before').content"
        assert "is not printed" in page.evaluate(note)
        assert not page.locator("header.top").is_visible()


@needs_chromium
@every_theme
def test_an_explorer_prints_its_state_at_the_size_that_it_is_drawn_for(browser, site, theme):
    with opened(browser, f"{site}/{CHAPTER}.html", theme=theme) as page:
        box = page.locator(".dlx").first
        box.get_by_label("Learning rate").focus()
        page.keyboard.press("ArrowLeft")
        before = box.evaluate(PRINTED)
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert box.evaluate(PRINTED) == {
            "paper": "rgb(255, 255, 255)",
            "path": "rgb(179, 64, 0)",
            "drawn": pytest.approx(before["drawn"], abs=0.5),
        }
        assert not box.get_by_label("Learning rate").is_visible()
        assert box.locator(".dlx-value").first.is_visible()
        assert not box.get_by_role("button").first.is_visible()
        assert box.locator("select").first.evaluate("e => getComputedStyle(e).appearance") == "none"
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        assert box.evaluate(PRINTED) == before


@needs_chromium
def test_contents_open_and_close_on_a_phone(browser, site):
    with opened(browser, f"{site}/{CHAPTER}.html", "phone") as page:
        contents = page.get_by_role("navigation", name="Contents")
        assert not contents.is_visible()
        page.get_by_role("button", name="Contents").click()
        assert contents.is_visible()
        page.keyboard.press("Escape")
        assert not contents.is_visible()
        page.get_by_role("button", name="Contents").click()
        contents.get_by_role("link", name="Notation").click()
        page.wait_for_url("**/notation.html")


@needs_chromium
def test_copy_button_copies_the_code(browser, site):
    with opened(browser, f"{site}/book/start.html") as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.locator(".copy").first.focus()
        page.keyboard.press("Enter")
        page.get_by_role("status", name="").first.wait_for(state="attached")
        page.wait_for_selector(".copy.done")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator("pre").first.inner_text().rstrip("\n")


@needs_chromium
def test_pages_read_without_javascript(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/{CHAPTER}.html")
    assert page.get_by_role("navigation", name="Contents").is_visible()
    assert page.locator("mjx-container svg").first.bounding_box()["width"] > 0
    assert not page.locator(".mode").is_visible()
    context.close()
