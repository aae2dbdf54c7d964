"""What several test files share. The comparison of notebooks is hooked in one folder up."""

from browser import browser  # noqa: F401  registers the fixture, once
from explorers import opened  # noqa: F401
