"""Say which external links of the book lead nowhere, from what Sphinx's linkcheck found.

Usage: python tools/links.py OUTPUT.JSON

Prints Markdown, and fails if a page is gone. A server that refuses robots, or that is in
trouble at the moment, says nothing about its page: such links are listed and do not fail.
"""

import json
import re
import sys
from pathlib import Path

# Forbidden, too many requests, and errors of the server; publishers answer robots with 403.
REFUSED = re.compile(r"(401|403|418|429|5\d\d) (Client|Server) Error")
SLOW = re.compile(r"timed? ?out", re.IGNORECASE)


def report(lines: list[str]) -> tuple[str, int]:
    """Return the report, and how many links lead nowhere.

    Raises
    ------
    ValueError
        If no link was looked at, so that the report would say nothing.
    """
    found = [json.loads(line) for line in lines if line.strip()]
    found = [link for link in found if link["uri"].startswith("http")]
    checked = [link for link in found if link["status"] not in ("unchecked", "ignored")]
    if not checked:
        raise ValueError("no link was checked: did the linkcheck builder run?")
    bad = [link for link in checked if link["status"] in ("broken", "timeout")]
    unsure = [link for link in bad if link["status"] == "timeout" or doubtful(link["info"])]
    gone = [link for link in bad if link not in unsure]
    text = ["# Links", "", f"{len(checked)} links, {len(gone)} lead nowhere."]
    text += listed("Lead nowhere", gone) + listed("Refused or not answered", unsure)
    return "\n".join(text) + "\n", len(gone)


def doubtful(info: str) -> bool:
    """Tell whether an answer leaves open whether the page is there."""
    return bool(REFUSED.match(info) or SLOW.search(info))


def listed(title: str, links: list[dict[str, str]]) -> list[str]:
    """Return the lines about some links, none if there are none."""
    rows = [f"- {link['filename']}: <{link['uri']}> {link['info'][:200]}" for link in links]
    return ["", f"## {title}", "", *sorted(rows)] if rows else []


def main(path: Path) -> int:
    """Print the report; return the exit status: 0 only if no link leads nowhere."""
    if not path.is_file():
        sys.exit(f"there is no {path}: the linkcheck builder did not finish")
    text, gone = report(path.read_text("utf8").splitlines())
    print(text)
    return 1 if gone else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
