"""The reference of `dlnotes`: its docstrings, which autodoc reads, on pages of the book.

The book is built without torch, matplotlib and pandas: Sphinx puts stand-ins in their
place (``autodoc_mock_imports``). Signatures are those of the source, so a page is the same
whether the libraries are there or not, and says ``Array`` where the code does.
"""

import ast
import importlib
import inspect
import re
import sys
import textwrap
from typing import Any, ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext.autodoc.mock import _MockObject, mock
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

# A module evaluates its annotations, and for ``torch.Tensor | None`` the stand-ins of
# Sphinx 7 lack the operator.
for operator in ("__or__", "__ror__"):
    setattr(_MockObject, operator, lambda self, other: self)

SENTENCE = re.compile(r".+?\.(?=\s|$)|.+?(?=\n\n|$)", re.S)
LINE = re.compile(r"<(/?)d[dl](?=>)")  # the parameters of a long signature, a line each
NAME = re.compile(r"(?<![`:])`([^`<]+)`(?![`_])")  # in the text of a docstring
PACKAGE = "dlnotes"


class _Unquoted(ast.NodeTransformer):
    """Takes the quotes off annotations: they are the source's way to name what comes later."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Leave the strings of a Literal alone."""
        return node if ast.unparse(node.value) == "Literal" else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Put what a string says in its place."""
        return ast.parse(node.value, mode="eval").body if isinstance(node.value, str) else node


def _annotation(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(_Unquoted().visit(node))


def _arguments(function: ast.FunctionDef, *, bound: bool) -> str:
    """Return a function's arguments; a method's first is not for the caller to give."""
    arguments = function.args
    first = [*arguments.posonlyargs, *arguments.args][:1]
    for argument in [*first, *arguments.args, *arguments.kwonlyargs]:
        if argument.annotation is not None:
            argument.annotation = _Unquoted().visit(argument.annotation)
    if bound:
        (arguments.posonlyargs or arguments.args).pop(0)
    return f"({ast.unparse(arguments)})"


def _field(line: ast.AnnAssign) -> str:
    text = f"{ast.unparse(line.target)}: {_annotation(line.annotation)}"
    if line.value is None:
        return text
    made = isinstance(line.value, ast.Call)  # field(default_factory=...)
    return f"{text} = {'...' if made else ast.unparse(line.value)}"


def signature(thing: Any) -> tuple[str, str] | None:
    """Return the arguments of a function or class and what it returns, as its source has them.

    None where there is no such source: a constant, or a class that makes its own signature.
    """
    if "__signature__" in vars(thing):
        return None
    definition = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(thing)))).body[0]
    if isinstance(definition, ast.FunctionDef):
        plain = any(ast.unparse(line) == "staticmethod" for line in definition.decorator_list)
        bound = "." in thing.__qualname__ and not plain
        return _arguments(definition, bound=bound), _annotation(definition.returns)
    if not isinstance(definition, ast.ClassDef):
        return None
    for line in definition.body:
        if isinstance(line, ast.FunctionDef) and line.name == "__init__":
            return _arguments(line, bound=True), ""
    fields = [line for line in definition.body if isinstance(line, ast.AnnAssign)]
    return f"({', '.join(map(_field, fields))})", ""


def sign(app: Sphinx, what: str, name: str, thing: Any, *rest: Any) -> tuple[str, str] | None:
    """Give autodoc the signature of the source."""
    return signature(thing) if what in {"function", "method", "class", "exception"} else None


def skip(app: Sphinx, what: str, name: str, thing: Any, skipped: bool, *rest: Any) -> bool | None:
    """Leave out the fields of a named tuple that say nothing but their number."""
    return True if (inspect.getdoc(thing) or "").startswith("Alias for field number") else None


BAR = re.compile(r"(``.*?``)|(?<!\|)\|(?!\|)")


def _with_bars(line: str) -> str:
    """Escape the bars of |x|, which mean a substitution in reStructuredText."""
    return line if line.lstrip().startswith(">>>") else BAR.sub(lambda m: m[1] or r"\|", line)


def keep_bars(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Let a docstring say |x|, which reads well in a terminal."""
    lines[:] = map(_with_bars, lines)


# Names in text and annotations


def settle_signatures(app: Sphinx, doctree: nodes.document) -> None:
    """Say of each name in a signature which class of the package it is, or that it is none.

    Sphinx would look in all modules, and ``Optimizer`` may be ours or torch's.
    """
    for line in doctree.findall(addnodes.desc_signature):
        if not line.get("module", "").startswith(PACKAGE):
            continue
        thing: Any = sys.modules[line["module"]]
        for part in line["fullname"].split("."):
            thing = inspect.getattr_static(thing, part)
        home = vars(sys.modules.get(getattr(thing, "__module__", ""), object))
        for reference in list(line.findall(addnodes.pending_xref)):
            named = home.get(reference["reftarget"])
            if inspect.isclass(named) and named.__module__.startswith(PACKAGE):
                reference["reftarget"] = f"{_room(named)}.{named.__name__}"
                reference.attributes.pop("refspecific", None)
            else:
                reference.replace_self(reference.children)


def _room(thing: type) -> str:
    """Return the module that offers a class: where it is, or the package that declares it."""
    package = thing.__module__.rpartition(".")[0]
    declared = getattr(sys.modules[package], "__all__", ())
    return package if thing.__name__ in declared else thing.__module__


def _parameters(node: nodes.Node | None) -> set[str]:
    """Return the names of the arguments of everything that a node stands in the description of."""
    names: set[str] = set()
    while node is not None:
        if isinstance(node, addnodes.desc):
            names |= {
                argument.astext().lstrip("*")
                for signature in node.findall(addnodes.desc_signature)
                if signature.parent is node
                for parameter in signature.findall(addnodes.desc_parameter)
                for argument in list(parameter.findall(addnodes.desc_sig_name))[:1]
            }
        node = node.parent
    return names


def _in_field(node: nodes.Node | None, name: str) -> bool:
    """Say whether a node stands in a field of that name: of "Attributes", types are words."""
    while node is not None and not isinstance(node, nodes.field):
        node = node.parent
    return node is not None and node[0].astext() == name


def resolve(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element
) -> nodes.Node | None:
    """Find what Sphinx's Python domain does not: arguments, and names below the package.

    So a name in single backquotes is an argument or has an entry; otherwise Sphinx warns.
    """
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    if target in _parameters(node) or _in_field(node, "Variables"):
        return content
    if not target.startswith(PACKAGE):
        domain = env.get_domain("py")
        full = f"{PACKAGE}.{target}"
        return domain.resolve_xref(
            env, node.get("refdoc", env.docname), app.builder, "obj", full, node, content
        )
    return None


# The list of everything


def public(module: str) -> list[str]:
    """Return the names that a module declares, or else defines, for others."""
    loaded = importlib.import_module(module)
    if declared := getattr(loaded, "__all__", None):
        return sorted(declared, key=str.lower)
    return [
        name
        for name, thing in vars(loaded).items()
        if not name.startswith("_")
        and (inspect.isclass(thing) or inspect.isfunction(thing))
        and thing.__module__ == module
    ]


class PublicNames(SphinxDirective):
    """``.. public-names:: dlnotes.tables`` lists what a module offers, a line each."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Make a list of links, each with the first sentence of its docstring."""
        module = self.arguments[0]
        with mock(self.config.autodoc_mock_imports):
            things = vars(importlib.import_module(module))
            lines = [
                f"* :py:obj:`{name} <{module}.{name}>`: {self._sentence(things[name])}"
                for name in public(module)
            ]
        box = nodes.container(classes=["names"])
        self.state.nested_parse(StringList(lines, source=module), self.content_offset, box)
        return [box]

    @staticmethod
    def _sentence(thing: Any) -> str:
        found = SENTENCE.match(inspect.getdoc(thing) or "")
        return _with_bars(NAME.sub(r"``\1``", " ".join(found[0].split()))) if found else ""


# HTML


def begin_parameters(writer: HTML5Translator, node: addnodes.desc_parameterlist) -> None:
    """Remember where the parameters of a signature begin."""
    node["start"] = len(writer.body)
    HTML5Translator.visit_desc_parameterlist(writer, node)


def end_parameters(writer: HTML5Translator, node: addnodes.desc_parameterlist) -> None:
    """Put spans in the place of the <dl> of Sphinx, whose <dd> have no <dt>."""
    HTML5Translator.depart_desc_parameterlist(writer, node)
    lines = slice(node["start"], None)
    writer.body[lines] = [LINE.sub(r"<\1span", part) for part in writer.body[lines]]


def setup(app: Sphinx) -> None:
    """Register what autodoc asks for, the resolution of names, the list and the signatures."""
    app.connect("autodoc-process-signature", sign)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", keep_bars)
    app.connect("doctree-read", settle_signatures)
    app.connect("missing-reference", resolve)
    app.add_directive("public-names", PublicNames)
    parameters = (begin_parameters, end_parameters)
    app.add_node(addnodes.desc_parameterlist, override=True, html=parameters)
