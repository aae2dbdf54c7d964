"""What makes and checks the chapters: run as ``python -m tools.notebooks``."""
