"""The exercises: one module a chapter, one `Check` an exercise, one `Lab` a lab.

A chapter imports its own module, ``from dlnotes.exercises import gradients as check``,
and calls ``check.slope(answer)``, or ``check.lab(step=answer)`` for a step of its lab.
Each prints whether the answer is right, or what is wrong with it, and never the answer.
"""

from dlnotes.exercises.checks import Check, Lab

__all__ = ["Check", "Lab"]
