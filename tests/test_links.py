"""What is said of the links that Sphinx's linkcheck looked at; no server is asked here."""

import json

import pytest

from tools import links


def line(uri, status, info=""):
    return json.dumps({"filename": "a.md", "lineno": 1, "uri": uri, "status": status, "info": info})


GONE = [
    ("https://x.org/1", "broken", "404 Client Error: Not Found for url: https://x.org/1"),
    ("https://x.org/2", "broken", "410 Client Error: Gone for url: https://x.org/2"),
    ("https://no.where/", "broken", "Failed to resolve 'no.where'"),
]
UNSURE = [
    ("https://x.org/3", "broken", "403 Client Error: Forbidden for url: https://x.org/3"),
    ("https://x.org/4", "broken", "503 Server Error: Unavailable for url: https://x.org/4"),
    ("https://x.org/5", "broken", "HTTPSConnectionPool: Read timed out. (read timeout=20)"),
    ("https://x.org/404", "timeout", "Timeout"),
]
GOOD = [("https://x.org/", "working"), ("http://x.org/", "redirected", "https://x.org/")]


@pytest.mark.parametrize("link", GONE)
def test_page_that_is_gone_fails(link):
    text, gone = links.report([line(*link), *(line(*good) for good in GOOD)])
    assert gone == 1
    assert f"## Lead nowhere\n\n- a.md: <{link[0]}> {link[2]}" in text


@pytest.mark.parametrize("link", UNSURE)
def test_server_that_does_not_say_is_listed_and_does_not_fail(link):
    text, gone = links.report([line(*link), *(line(*good) for good in GOOD)])
    assert gone == 0
    assert f"## Refused or not answered\n\n- a.md: <{link[0]}>" in text


def test_links_that_work_are_counted_and_not_listed():
    lines = [line(*good) for good in GOOD] + [line("#here", "unchecked"), line("a.pdf", "working")]
    text, gone = links.report(lines)
    assert (text, gone) == ("# Links\n\n2 links, 0 lead nowhere.\n", 0)


def test_nothing_checked_is_no_success(tmp_path):
    with pytest.raises(ValueError, match="no link was checked"):
        links.report([line("https://x.org/", "unchecked")])
    with pytest.raises(SystemExit, match="did not finish"):
        links.main(tmp_path / "output.json")


def test_exit_status(tmp_path, capsys):
    path = tmp_path / "output.json"
    path.write_text("\n".join(line(*link) for link in [*GOOD, *UNSURE]))
    assert links.main(path) == 0
    path.write_text("\n".join(line(*link) for link in [*GOOD, *GONE]))
    assert links.main(path) == 1
    assert "3 lead nowhere" in capsys.readouterr().out
