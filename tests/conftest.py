"""What several test files share. The comparison of notebooks is hooked in one folder up."""

from browser import browser  # noqa: F401  registers the fixture, once
from explorers import opened  # noqa: F401
from hypothesis import settings

# How long an example takes says something of the machine, and nothing of the property.
settings.register_profile("dlnotes", deadline=None)
settings.load_profile("dlnotes")
