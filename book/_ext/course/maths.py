"""Typeset the book's formulas while it is built, so that a page carries no MathJax.

The engine is MathJax 3.2.2, read from the wheel ``sphinx-mathjax-offline`` and run in
QuickJS. Each formula becomes an SVG whose glyphs are ``<use>`` references, with MathML
beside it for screen readers. The outlines stand once a page, so a formula weighs a few
hundred bytes. This module knows nothing about Sphinx: see ``typeset.py`` for that.
"""

import hashlib
import json
import re
import sysconfig
from functools import cache
from pathlib import Path

import quickjs

# The engine as it was reviewed, in loading order. Another file stops the build.
ENGINE = {
    "loader.js": "a413bc18c77eda7b5d29d44c4d3311de78742cb5c9751b70e29b013eacfbb56f",
    "core.js": "44d9c29f77d89537e024d165e2c0d7e981a98d75ed53b6c236fac899ed631abb",
    "adaptors/liteDOM.js": "30e7d3f231e5c86b0c6ecdc283e5b6f2a46d6ddee140745a050bd5ccfe62b3ef",
    "input/tex.js": "fa6524c5b16c20bed3f040c9833e88c7b8ab25ffe988af9cda8395016a0b643c",
    "input/tex/extensions/boldsymbol.js": (
        "d6771fee0772db2657796c8d0e20e1878bb3237f6d3ed1e828e1834a4ff743ca"
    ),
    "output/svg.js": "6fdee599b240851fd27b31017e1a18802d99743ac4fae8204998997176647609",
    "output/svg/fonts/tex.js": "6afb8e7f4f7f19255c4b111f4a00c06716b70ea9b977516127c054e7799d2da4",
    "a11y/assistive-mml.js": "5b8414e36cd63d154b90beab67e5e3399c7439aff97f4b556761224f8176f657",
}
# MathJax asks for timers and a start-up configuration. None of it may run here.
BEFORE = """
globalThis.setTimeout = () => 0;
globalThis.clearTimeout = () => {};
globalThis.MathJax = {loader: {load: []}, startup: {typeset: false, ready() {}}};
"""
# Strings go back as JSON: QuickJS cannot hand long concatenated strings to Python.
AFTER = """
const jax = MathJax._;
const adaptor = jax.adaptors.liteAdaptor.liteAdaptor();
const handler = jax.handlers.html_ts.RegisterHTMLHandler(adaptor);
jax.a11y["assistive-mml"].AssistiveMmlHandler(handler);
const tex = new jax.input.tex_ts.TeX({
  packages: ["base", "ams", "newcommand", "boldsymbol"],
  formatError(_, error) { throw new Error(error.message); },
});
const svg = new jax.output.svg_ts.SVG({
  fontCache: "global", font: new jax.output.svg.fonts.tex_ts.TeXFont(),
});
const page = jax.mathjax.mathjax.document("", {InputJax: tex, OutputJax: svg});
function convert(source, display) {
  const node = page.convert(source, {display, em: 16, ex: 8, containerWidth: 1280});
  return JSON.stringify(adaptor.outerHTML(node));
}
function outlines() {
  return JSON.stringify(adaptor.outerHTML(svg.fontCache.getCache()));
}
"""
GLYPH = re.compile(r'<path id="MJX-([^"]+)" d="([^"]*)"></path>')
USED = re.compile(r'href="#g-([^"]+)"')
# Editing aids of MathJax that neither the picture nor a screen reader needs.
DEAD = re.compile(
    r' (?:data-c|data-mml-node|data-mjx-[a-z]+|xmlns(?::xlink)?|focusable|role)="[^"]*"'
)


def engine_folder() -> Path:
    """Return the folder of the installed wheel that holds MathJax's files."""
    site = Path(sysconfig.get_path("purelib"))
    return site / "sphinx-mathjax-offline" / "static" / "mathjax"


def read_engine(folder: Path) -> list[str]:
    """Return the sources of the engine, in loading order.

    Raises
    ------
    RuntimeError
        If a file is missing or is not the one that was reviewed.
    """
    sources = []
    for name, digest in ENGINE.items():
        path = folder / name
        if not path.is_file():
            raise RuntimeError(f"no {name} in {folder}: install sphinx-mathjax-offline==0.0.2")
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise RuntimeError(f"{path} is not MathJax 3.2.2 as reviewed: its sha256 differs")
        sources.append(content.decode("utf8"))
    return sources


@cache
def engine() -> quickjs.Context:
    """Return the loaded engine: one a process, about a second to start."""
    context = quickjs.Context()
    for source in [BEFORE, *read_engine(engine_folder()), AFTER]:
        context.eval(source)
    return context


@cache
def typeset(tex: str, *, display: bool) -> str:
    """Return the HTML of one formula, its glyphs referring to `outlines`.

    Raises
    ------
    ValueError
        If the TeX is wrong; the message is MathJax's.
    """
    arguments = f"{json.dumps(tex)}, {json.dumps(display)}"
    try:
        html: str = json.loads(engine().eval(f"convert({arguments})"))
    except quickjs.JSException as error:
        reason = str(error).splitlines()[0].removeprefix("Error: ")
        raise ValueError(f"{reason}, in the formula {tex.strip()}") from None
    return slim(html)


def slim(html: str) -> str:
    """Return MathJax's HTML without what only its own scripts use."""
    html = DEAD.sub("", html).replace('xlink:href="#MJX-', 'href="#g-')
    html = html.replace("></use>", "/>").replace(' style="position: relative;"', "")
    return html


@cache
def _outline(name: str) -> str:
    known: dict[str, str] = dict(GLYPH.findall(json.loads(engine().eval("outlines()"))))
    return known[name]


def outlines(html: str) -> str:
    """Return the hidden SVG with the glyphs that a page's formulas use, or nothing."""
    names = sorted(set(USED.findall(html)))
    if not names:
        return ""
    paths = "".join(f'<path id="g-{name}" d="{_outline(name)}"/>' for name in names)
    return f'<svg class="glyphs" aria-hidden="true" width="0" height="0"><defs>{paths}</defs></svg>'
