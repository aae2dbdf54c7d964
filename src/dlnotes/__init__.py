"""Helpers that the chapters of the course share: plain functions on plain data.

Each module is one noun, and a chapter imports the module that it needs
(``from dlnotes import surfaces``), so its imports show what it uses.
"""

__version__ = "0.1.0"
