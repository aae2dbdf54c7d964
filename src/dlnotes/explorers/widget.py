"""What the explorers' Python classes share: settings from ``spec.json``, and how they are shown."""

import inspect
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from dlnotes.explorers import esm

Points = npt.NDArray[np.float64]  # shape (points, 2): x and y


class Widget(anywidget.AnyWidget):
    """An explorer: a widget whose state is a few plain values that a page can hold too.

    ``class Explorer(Widget, explorer="descent")`` gets an attribute and an argument for
    each setting in ``descent/spec.json``, checked against its type and limits. The subclass
    says in ``_in_words`` what it shows, checks with ``traitlets.validate`` what a
    specification cannot say, and computes in `numbers` and `marks` what the picture shows,
    which is how the tests know whether it does.
    """

    _spec: ClassVar[dict[str, Any]]

    def __init_subclass__(cls, explorer: str = "", **kwargs: Any) -> None:
        """Take the settings, the script and the style of an explorer from its folder."""
        if explorer:
            cls._spec = esm.spec(explorer)
            cls._esm, cls._css = esm.module(explorer), esm.css([explorer])
            for name, setting in cls._spec["settings"].items():
                trait = Setting(name, setting).tag(sync=True)
                setattr(cls, name, trait)
                trait.class_init(cls, name)
            keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
            cls.__signature__ = inspect.Signature(
                [
                    inspect.Parameter(name, keyword, default=setting["default"])
                    for name, setting in cls._spec["settings"].items()
                ]
            )
            cls.__doc__ = _documented(inspect.getdoc(cls) or "", cls._spec["settings"])
        super().__init_subclass__(**kwargs)

    def __init__(self, *args: Any, **settings: Any) -> None:
        given = inspect.signature(type(self)).bind(*args, **settings)
        given.apply_defaults()
        super().__init__(**self._complete(given.arguments))

    @staticmethod
    def _complete(settings: dict[str, Any]) -> dict[str, Any]:
        """Return the settings with those filled in whose default depends on the others."""
        return settings

    def state(self) -> dict[str, Any]:
        """Return what the picture is drawn from, as plain JSON values."""
        return {name: _plain(getattr(self, name)) for name in self._spec["settings"]}

    def numbers(self) -> dict[str, float | Sequence[float]]:
        """Return every number that the picture shows as text, by what it is called there."""
        raise NotImplementedError

    def marks(self) -> dict[str, dict[str, Points]]:
        """Return what is drawn of data: for each plot and mark its points in data units."""
        return {}

    def _in_words(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.state().items())
        return f"{type(self).__name__}({arguments})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Return anywidget's bundle with a ``text/html`` part for pages without a kernel.

        With ipywidgets 7 (Colab) IPython asks for ``_ipython_display_`` instead, which
        shows the widget alone; old pairs of the two packages have no bundle to add to.
        """
        inherited = getattr(super(), "_repr_mimebundle_", None)
        bundle = inherited(**kwargs) if inherited else {"text/plain": repr(self)}
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            words = (
                f"Interactive figure: {self._in_words()} "
                "In a notebook, run the cell to see it; a page needs JavaScript for it."
            )
            data["text/html"] = esm.html(self._spec["name"], self.state(), words)
        return bundle


class Setting(traitlets.TraitType[Any, Any]):
    """A trait that holds what the specification of one setting allows.

    A list or a mapping cannot be changed in place: half of the state would change in silence.
    """

    def __init__(self, label: str, setting: Mapping[str, Any]) -> None:
        super().__init__(setting["default"])
        self.label, self.setting = label, setting

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the value if the specification allows it, else say what it allows."""
        return checked(self.label, self.setting, value)

    def get(self, obj: Any, cls: Any = None) -> Any:
        """Return the value; a list or mapping as one that cannot be changed in place."""
        return _held(self.label, super().get(obj, cls))


def checked(name: str, setting: Mapping[str, Any], value: Any) -> Any:
    """Return the value as its setting's type has it, if it is one that the setting allows.

    Raises
    ------
    traitlets.TraitError
        If it is not; the message says what is allowed.

    Examples
    --------
    >>> checked("lr", {"type": "number", "limits": [0, 1]}, 1)
    1.0
    """
    kind = setting["type"]
    if kind == "choice" and value not in list(setting["choices"]):
        known = ", ".join(setting["choices"])
        raise traitlets.TraitError(f"{name} must be one of {known}, got {value!r}")
    if kind == "boolean" and not isinstance(value, bool):
        raise traitlets.TraitError(f"{name} must be True or False, got {value!r}")
    if kind == "number":
        return within(name, value, setting["limits"])
    if kind == "integer":
        if within(name, value, setting["limits"]) != int(value):
            raise traitlets.TraitError(f"{name} must be a whole number, got {value!r}")
        return int(value)
    return value


def within(name: str, value: Any, limits: Sequence[float]) -> float:
    """Return the value if it is a number within the limits, both included, else say so."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise traitlets.TraitError(f"{name} must be a number, got {value!r}")
    low, high = limits
    if not low <= value <= high:
        raise traitlets.TraitError(f"{name} must be from {low:g} to {high:g}, got {value}")
    return float(value)


class _Held:
    """A list or dict that says how to change it when someone tries to change it in place."""

    name: str

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        example = f"{{**explorer.{self.name}, ...}}" if isinstance(self, dict) else "[...]"
        raise TypeError(
            f"{self.name} cannot be changed in place, the picture would not follow; "
            f"set it as a whole: explorer.{self.name} = {example}"
        )

    __setitem__ = __delitem__ = __ior__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = popitem = remove = _refuse
    reverse = setdefault = sort = update = _refuse

    def __reduce__(self) -> Any:
        """Copy as a plain list or dict, which can be changed."""
        return type(_plain(self)), (_plain(self),)


class _List(_Held, list[Any]):
    pass


class _Dict(_Held, dict[str, Any]):
    pass


def _held(name: str, value: Any) -> Any:
    held: _Held
    if isinstance(value, dict):
        held = _Dict(value)
    elif isinstance(value, list | tuple):
        held = _List(value)
    else:
        return value
    held.name = name
    return held


def _plain(value: Any) -> Any:
    if isinstance(value, _List):
        return list(value)
    return dict(value) if isinstance(value, _Dict) else value


def _documented(doc: str, settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a class's docstring with a section on its settings before "Raises"."""
    lines = ["Parameters", "----------"]
    for name, setting in settings.items():
        lines.append(f"{name}{_allowed(setting)}")
        about = textwrap.fill(setting["about"], 84, break_on_hyphens=False)
        lines += textwrap.indent(about, "    ").splitlines()
    head, mark, rest = doc.partition("Raises\n------")
    return head + "\n".join([*lines, "", ""]) + mark + rest


def _allowed(setting: Mapping[str, Any]) -> str:
    match setting["type"]:
        case "choice":
            return " : {" + ", ".join(f'"{choice}"' for choice in setting["choices"]) + "}"
        case "number" | "integer" as kind:
            low, high = setting["limits"]
            return f" : {kind} from {low:g} to {high:g}"
        case "boolean":
            return " : bool"
    return ""


def along(points: Any, k: int) -> dict[str, Points]:
    """Return the marks of a path or curve that is shown up to point `k`.

    Examples
    --------
    >>> {mark: len(points) for mark, points in along([[0, 1], [1, 2], [2, 3]], 1).items()}
    {'done': 2, 'ahead': 2, 'now': 1}
    """
    points = np.asarray(points, dtype=float)
    return {"done": points[: k + 1], "ahead": points[k:], "now": points[k : k + 1]}
