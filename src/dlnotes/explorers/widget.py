"""What the explorers' Python classes share: their state as text, and how they are shown."""

from typing import Any

import anywidget
import traitlets

from dlnotes.explorers import esm


class Widget(anywidget.AnyWidget):
    """An explorer: a widget whose state is a few plain values that a page can hold too.

    A subclass sets ``_name``, the stem of its JavaScript file, ``_keys``, the names of the
    attributes that make up its state, and says in ``_in_words`` what it shows.
    """

    _css = esm.css()
    _name: str
    _keys: tuple[str, ...]

    def state(self) -> dict[str, Any]:
        """Return what the picture is drawn from, as plain JSON values."""
        return {key: getattr(self, key) for key in self._keys}

    def _in_words(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.state().items())
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
                "It needs JavaScript, which is off here or has not started."
            )
            data["text/html"] = esm.html(self._name, self.state(), words)
        return bundle


def within(name: str, value: float, limits: tuple[float, float]) -> float:
    """Return the value if it lies within the limits, both included, else say what they are."""
    low, high = limits
    if not low <= value <= high:
        raise traitlets.TraitError(f"{name} must be from {low:g} to {high:g}, got {value}")
    return value
