"""How a Python project is set up and tested where only the system's python3 exists."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Any

from switchyard.config.survey.listing import Listing
from switchyard.config.survey.project import Project

HOSTS = ("pypi.org", "files.pythonhosted.org")
TEST_EXTRAS = ("test", "tests", "testing", "dev")
MAX_PACKAGES = 20
MAX_TESTS_READ = 40

_REQUIREMENTS = re.compile(
    r"(requirements/)?((dev|test|tests|testing|ci)[-_.])?requirements([-_.](dev|test|tests|testing|ci))?\.txt"
    r"|requirements/(base|main|dev|test|tests|testing|ci)\.txt"
)
_NO_PACKAGE = {"docs", "doc", "examples", "example", "tests", "test", "benchmarks", "fixtures", "testdata", "templates"}
_RUNNERS = (("runtests.py", ""), ("manage.py", " test"))
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|tests)\.py$")


def survey_python(listing: Listing) -> Project | None:
    """What a Python project needs; None where there is no Python."""
    if not any(path.endswith(".py") for path in listing.paths):
        return None
    tests = [path for path in listing.paths if _TEST_FILE.search(path)]
    uses_pytest = _uses_pytest(listing, tests)
    packages, requirements = _packages(listing), _requirements(listing)
    if not (packages or requirements or uses_pytest):
        return Project("python", test=_without_pytest("python3", listing, tests)) if tests else None
    venv = _venv(listing)
    install = _install(listing, packages, requirements, uses_pytest)
    python = f"{venv}/bin/python"
    return Project(
        "python",
        setup=(f"python3 -m venv {venv}", *(f"{venv}/bin/pip install --quiet {what}" for what in install)),
        network=HOSTS,
        test=f"{python} -m pytest -q" if uses_pytest else _without_pytest(python, listing, tests) if tests else "",
    )


def _install(listing: Listing, packages: list[str], requirements: list[str], uses_pytest: bool) -> list[str]:
    """What pip is asked for, one entry a call: all in one call, so that packages of the repository find one another."""
    pyproject = read_toml(listing, "pyproject.toml")
    words = [word for file in requirements for word in ("-r", shlex.quote(file))]
    for folder in packages:
        extras = _test_extras(read_toml(listing, _join(folder, "pyproject.toml")))
        place = f"./{folder}" if folder else "."
        words += ["-e", shlex.quote(f"{place}[{','.join(extras)}]" if extras else place)]
    groups = [group for group in TEST_EXTRAS if group in pyproject.get("dependency-groups", {})]
    words += [word for group in groups for word in ("--group", group)]
    if uses_pytest:
        words.append("pytest")
    # pip knows --group since 25.1, and a new environment has the system's older one.
    return [*(["--upgrade pip"] if groups else []), " ".join(words)]


def _venv(listing: Listing) -> str:
    """Where the environment goes: into the work tree only if git ignores it there, else it would look like an edit."""
    from pathspec import GitIgnoreSpec

    ignored = GitIgnoreSpec.from_lines(listing.text(".gitignore").splitlines())
    return ".venv" if ignored.match_file(".venv/bin/python") else "$HOME/venv"


def _uses_pytest(listing: Listing, tests: list[str]) -> bool:
    if any(PurePosixPath(path).name in {"conftest.py", "pytest.ini"} for path in listing.paths):
        return True
    settings = ("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "noxfile.py", "Pipfile")
    stated = [*settings, *_requirements(listing)]
    if any(re.search(r"\bpytest\b", listing.text(path)) for path in stated):
        return True
    return any(re.search(r"^\s*(import|from) pytest\b", listing.text(path), re.M) for path in tests[:MAX_TESTS_READ])


def _requirements(listing: Listing) -> list[str]:
    return [path for path in listing.paths if _REQUIREMENTS.fullmatch(path)]


def _packages(listing: Listing) -> list[str]:
    """The folders to install: the root and its workspace's members; without a root, every package near the top."""
    found = [folder for folder in _folders_with_build(listing) if not _NO_PACKAGE & set(PurePosixPath(folder).parts)]
    if "" not in found:
        return found[:MAX_PACKAGES]
    workspace = read_toml(listing, "pyproject.toml").get("tool", {}).get("uv", {}).get("workspace", {})
    members = [folder for folder in found if any(fnmatch(folder, str(glob)) for glob in workspace.get("members", []))]
    return ["", *members][:MAX_PACKAGES]


def _folders_with_build(listing: Listing) -> list[str]:
    declared = {
        folder
        for folder in listing.named("pyproject.toml", max_depth=3)
        if {"project", "build-system"} & set(read_toml(listing, _join(folder, "pyproject.toml")))
    }
    legacy = set(listing.named("setup.py", max_depth=3))
    return sorted(declared | legacy, key=lambda folder: (folder.count("/"), folder))


def _test_extras(pyproject: dict[str, Any]) -> list[str]:
    optional: Iterable[str] = pyproject.get("project", {}).get("optional-dependencies", {})
    return [extra for extra in TEST_EXTRAS if extra in optional]


def _without_pytest(python: str, listing: Listing, tests: list[str]) -> str:
    """A project's own runner, which knows settings that discovery does not; else discovery."""
    for runner, words in _RUNNERS:
        if listing.has(runner):
            return f"{python} {runner}{words}"
    return _unittest(python, listing, tests)


def _unittest(python: str, listing: Listing, tests: list[str]) -> str:
    """unittest finds tests below a folder that is no package only when it starts there."""
    tops = {path.split("/")[0] for path in tests if "/" in path}
    if len(tops) == 1 and not any("/" not in path for path in tests):
        top = tops.pop()
        if not listing.has(f"{top}/__init__.py"):
            return f"{python} -m unittest discover -s {shlex.quote(top)}"
    return f"{python} -m unittest discover"


def read_toml(listing: Listing, path: str) -> dict[str, Any]:
    """A file's tables; empty where it is not there or is no TOML."""
    try:
        return tomllib.loads(listing.text(path))
    except tomllib.TOMLDecodeError:
        return {}


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
