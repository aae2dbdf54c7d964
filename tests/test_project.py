"""What the project says about itself in several files agrees."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import strict
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from sphinx.util.matching import compile_matchers

import dlnotes

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
EXTRAS = PYPROJECT["optional-dependencies"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def pins() -> dict[str, Version]:
    """The exact set, by normalised name."""
    lines = (ROOT / "constraints.txt").read_text("utf8").splitlines()
    found = {}
    for line in lines:
        if line and not line.startswith("#"):
            name, version = line.split("==")
            found[re.sub(r"[-_.]+", "-", name).lower()] = Version(version)
    return found


def test_environment_yml_holds_no_second_version_list():
    """Its Python and its extras are those of pyproject.toml; the versions come from -c."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf8"))
    python, pip, inner = environment["dependencies"]
    assert python == f"python{PYPROJECT['requires-python']}"
    assert pip == "pip"
    constraints, install = inner["pip"]
    assert constraints == "-c constraints.txt"
    extras = re.fullmatch(r"-e \.\[([a-z,]+)\]", install)
    assert extras, install
    assert set(extras[1].split(",")) <= set(EXTRAS)


@pytest.mark.parametrize(
    "requirement",
    [*PYPROJECT["dependencies"], *EXTRAS["book"], *EXTRAS["lab"], *EXTRAS["test"]],
)
def test_the_pinned_set_lies_in_the_stated_ranges(requirement):
    wanted = Requirement(requirement)
    name = re.sub(r"[-_.]+", "-", wanted.name).lower()
    assert name in pins(), f"constraints.txt does not pin {name}"
    assert wanted.specifier.contains(pins()[name], prereleases=True)


def test_the_version_is_stated_once_more_only_in_the_changelog():
    assert PYPROJECT["version"] == dlnotes.__version__
    assert f"## {dlnotes.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf8")


def test_the_book_needs_no_torch():
    command = [sys.executable, str(ROOT / "tools/requirements.py"), "book"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert sorted(EXTRAS["book"]) == listed
    assert not [line for line in listed if Requirement(line).name in {"torch", "dlnotes"}]


def test_the_lower_ends_are_those_of_the_ranges():
    command = [sys.executable, str(ROOT / "tools/requirements.py"), "--lowest"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    ranges = [Requirement(line) for line in PYPROJECT["dependencies"]]
    for line, wanted in zip(listed, ranges, strict=True):
        name, version = line.split("==")
        assert name == wanted.name
        assert wanted.specifier.contains(version)
        assert f">={version}" in str(wanted.specifier), "a lower end, not just some version"


def test_the_ends_of_the_ranges_are_tried_on_files_that_exist():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ranges.yml").read_text("utf8"))
    steps = workflow["jobs"]["ranges"]["steps"]
    script = "\n".join(step.get("run", "") for step in steps)
    named = re.findall(r"(?:src|tests)/[\w./]+", script)
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert "requirements.py --lowest" in script
    assert '--changed "$GITHUB_STEP_SUMMARY" notebooks' in script


def test_the_weekly_workflow_tries_colab_and_the_links():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ranges.yml").read_text("utf8"))["jobs"]
    for name, command in {"colab": "make colab", "links": "make -s links"}.items():
        script = "\n".join(step.get("run", "") for step in jobs[name]["steps"])
        assert command in script
        assert "GITHUB_STEP_SUMMARY" in script


def test_links_are_checked_nowhere_else():
    """Tests and builds ask nothing of other people's servers."""
    for path in (*WORKFLOWS, ROOT / ".ci/run"):
        asks = "linkcheck" in (text := path.read_text("utf8")) or "make -s links" in text
        assert asks == (path.stem == "ranges"), path


@pytest.mark.parametrize("stem", ["test", "ranges"])
def test_pictures_of_what_differs_are_kept(stem):
    jobs = yaml.safe_load((ROOT / f".github/workflows/{stem}.yml").read_text("utf8"))["jobs"]
    for name in jobs.keys() - {"links"}:
        last = jobs[name]["steps"][-1]
        assert last["uses"].startswith("actions/upload-artifact@")
        assert last["if"] in ("failure()", "always()"), "only where nothing differs"
        assert last["with"]["path"] == "_build/differences"
    assert 'rootpath / "_build" / "differences"' in (ROOT / "conftest.py").read_text("utf8")


def test_what_the_makefile_lists_is_what_it_does():
    text = (ROOT / "Makefile").read_text("utf8")
    targets = set(re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split())
    head = text.split("\n\n")[0]
    listed = re.findall(r"^# make (\w+(?: \| \w+)*)", head, re.MULTILINE)
    assert {name for line in listed for name in line.split(" | ")} == targets
    assert targets <= set(re.findall(r"^(\w+):", text, re.MULTILINE))


def test_an_unknown_extra_is_named():
    command = [sys.executable, str(ROOT / "tools/requirements.py"), "boook"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "no extra boook" in run.stderr


def test_ci_runs_the_commands_of_the_readme():
    commands = re.findall(r"^make (\w+)", (ROOT / "README.md").read_text("utf8"), re.M)
    assert commands == ["book", "test"]
    script = (ROOT / ".ci/run").read_text("utf8").splitlines()
    for command in commands:
        assert f"make {command}" in script


def test_every_room_in_the_readme_exists():
    tree = (ROOT / "README.md").read_text("utf8").split("```\n_config.yml", 1)[1].split("```")[0]
    names = [line.split("  ")[0] for line in f"_config.yml{tree}".splitlines() if line[0] != " "]
    assert len(names) >= 6
    for line in names:
        for name in line.split():
            assert (ROOT / name).exists(), name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_pin_actions_and_ask_for_little(path):
    workflow = yaml.safe_load(path.read_text("utf8"))
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert set(job["permissions"]) <= {"contents", "pages"}
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step["uses"]


def test_there_are_workflows():
    assert WORKFLOWS, "nothing was checked"


def test_no_address_of_a_repository_is_in_a_source():
    """It comes from the environment when the site is published."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    pattern = re.compile(r"github\.com/(?!github\b)[\w-]+/[\w-]+|[\w-]+\.github\.io")
    found = {}
    for name in filter(None, listed.split("\0")):
        if name.endswith((".png", ".svg")) or name == "tests/test_project.py":
            continue
        hits = pattern.findall((ROOT / name).read_text("utf8"))
        if hits:
            found[name] = hits
    assert found == {}


def test_the_page_on_checking_states_the_tolerances_that_are_used():
    page = (ROOT / "book/checked.md").read_text("utf8")
    parts = f"{1 / strict.REL:_.0f}".replace("_", " ")
    assert f"one part in {parts}, or" in page
    assert strict.DIGITS == 6
    assert "six or more are printed" in page
    assert f"may differ by {strict.RMS} on average" in page
    assert f"by {strict.LOCAL:.0f} in any block of {strict.BLOCK} × {strict.BLOCK}" in page


def test_the_book_reads_nothing_in_hidden_folders():
    """An environment beside .venv, such as that of make bench, holds Markdown of others."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    excluded = compile_matchers(config["exclude_patterns"])
    for folder in (".venv", ".venv-bench", ".pytest_cache", ".github"):
        assert any(matches(folder) for matches in excluded), folder
    assert not any(matches("book/index.md") for matches in excluded)


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    assert citation["version"] == project["version"]
    assert [a["name"] for a in citation["authors"]] == [a["name"] for a in project["authors"]]
    assert citation["title"].startswith(config["title"])
