"""Manifests of Python: pyproject.toml, requirements, setup.cfg, setup.py and Pipfile."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from switchyard.gates.static.manifest import Manifest, items_of, shown, table_of

_BACKENDS = ("setuptools", "wheel", "hatchling", "flit-core", "poetry-core", "pdm-backend")
"""Those that build most packages."""
_BACKEND = re.compile(r"(setuptools|hatchling|flit_core|poetry\.core|pdm\.backend)(\.|:|$)")
"""The modules of these."""
_DEV = re.compile(
    r"(?<![a-z])(dev(el(op(ment|er|ers)?)?|s|tools?)?|(py|unit|doc)?test(s|ing|er)?|docs?|documentation|lint(s|ing|ers?)?|typing"
    r"|bench(es|marks?|marking)?|ci|build-tools)(?![a-z])",
    re.IGNORECASE,
)
"""Whole words: Docker and what is special run."""


def _requirement(text: str, found: Manifest, runs: bool) -> None:
    try:
        asked = Requirement(text)
    except InvalidRequirement:
        name = re.match(r"[\w.-]+", text.strip())
        found.add(
            canonicalize_name(name[0]) if name else text.strip()[:100], text.strip()[:200], runs, text.strip()[:200]
        )
        return
    version = f"{asked.specifier}{'; ' + str(asked.marker) if asked.marker else ''}"
    extras = f"[{','.join(sorted(asked.extras))}]" if asked.extras else ""
    found.add(canonicalize_name(asked.name), extras + version, runs, asked.url or "")


def read_pyproject(text: str, path: str, found: Manifest) -> None:
    whole = tomllib.loads(text)
    project = table_of(whole, "project")
    for asked in items_of(project.get("dependencies")):
        _requirement(str(asked), found, runs=True)
    build = table_of(whole, "build-system")
    for asked in items_of(build.get("requires")):
        _requirement(str(asked), found, runs=not _is_backend(str(asked)))
    for extra, group in table_of(project, "optional-dependencies").items():
        for asked in items_of(group):
            _requirement(str(asked), found, runs=not _DEV.search(extra))
    for group in table_of(whole, "dependency-groups").values():
        for asked in items_of(group):
            if isinstance(asked, str):
                _requirement(asked, found, runs=False)
    read_tools(table_of(whole, "tool"), found)
    licence = project.get("license", table_of(whole, "tool", "poetry").get("license"))
    told = [str(licence)] if licence is not None else []
    found.licences = (
        *told,
        *sorted(str(one) for one in items_of(project.get("classifiers")) if "License ::" in str(one)),
    )
    backends = [shown(build[key]) for key in ("build-backend", "backend-path") if key in build]
    found.scripts |= {f"build backend {one}" for one in backends if not _BACKEND.match(one)}
    found.scripts |= set(_build_hooks(table_of(whole, "tool")))


def _is_backend(asked: str) -> bool:
    name = re.match(r"[\w.-]+", asked.strip())
    return name is not None and canonicalize_name(name[0]) in _BACKENDS


def _build_hooks(tools: dict[str, Any]) -> Iterator[str]:
    """The repository's own code that a backend runs when the package is built."""
    build = table_of(tools, "hatch", "build")
    for place in (build, *map(table_of, table_of(build, "targets").values())):
        if "custom" in table_of(place, "hooks"):
            yield f"build hook of hatchling {shown(table_of(place, 'hooks')['custom'])}"
    for name, where in table_of(tools, "setuptools", "cmdclass").items():
        yield f"cmdclass {name} of setuptools: {shown(where)}"
    poetry = table_of(tools, "poetry").get("build")
    if poetry:
        yield f"build script of poetry: {shown(poetry)}"
    pdm = table_of(tools, "pdm", "build")
    for key in ("custom-hook", "run-setuptools"):
        if pdm.get(key):
            yield f"build hook of pdm: {shown(pdm[key])}"


def read_tools(tools: dict[str, Any], found: Manifest) -> None:
    poetry = table_of(tools, "poetry")
    _poetry_table(table_of(poetry, "dependencies"), found, runs=True)
    _poetry_table(table_of(poetry, "dev-dependencies"), found, runs=False)
    for group in table_of(poetry, "group").values():
        _poetry_table(table_of(group, "dependencies"), found, runs=False)
    for asked in items_of(table_of(tools, "uv").get("dev-dependencies")):
        _requirement(str(asked), found, runs=False)
    for group in table_of(tools, "pdm", "dev-dependencies").values():
        for asked in items_of(group):
            _requirement(str(asked), found, runs=False)
    for env in table_of(tools, "hatch", "envs").values():
        for asked in items_of(table_of(env).get("dependencies")):
            _requirement(str(asked), found, runs=False)
    indexes = (
        items_of(table_of(tools, "uv").get("index"))
        + items_of(poetry.get("source"))
        + items_of(table_of(tools, "pdm").get("source"))
    )
    found.sources |= {str(table_of(index).get("url")) for index in indexes}
    found.sources |= {f"{name} from {value}" for name, value in table_of(tools, "uv", "sources").items()}
    for key in ("index-url", "extra-index-url", "find-links"):
        value = table_of(tools, "uv").get(key)
        found.sources |= {str(value)} if value else set()


def _poetry_table(table: dict[str, Any], found: Manifest, runs: bool) -> None:
    for name, asked in table.items():
        if name.lower() != "python":
            source = {
                key: asked[key]
                for key in ("git", "url", "path", "file", "source")
                if isinstance(asked, dict) and key in asked
            }
            found.add(canonicalize_name(name), shown(asked), runs, shown(source) if source else "")


def read_requirements(text: str, path: str, found: Manifest) -> None:
    runs = not _DEV.search(path.rpartition("/")[2])
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        asked = re.sub(r"(^|\s)#.*", "", line).strip()
        if asked.startswith(("-e", "--editable")):
            source = asked.split(None, 1)[-1].removeprefix("--editable=")
            found.add(source, "", runs, source)
        elif asked.startswith("-"):
            found.sources.add(asked)
        elif asked:
            bare, *options = re.split(r"\s--", asked)
            hashes = sum(option.startswith("hash") for option in options)
            if re.match(r"(git\+|https?:|file:|\.{0,2}/)", bare):
                found.add(bare.strip(), "", runs, bare.strip())
            else:
                _requirement(bare, found, runs)
            if hashes:
                name = re.match(r"[\w.-]+", bare)
                found.scripts.add(f"checked {canonicalize_name(name[0]) if name else bare}")


def read_setup_cfg(text: str, path: str, found: Manifest) -> None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    options = parser["options"] if parser.has_section("options") else {}
    for key, runs in (("install_requires", True), ("setup_requires", True), ("tests_require", False)):
        for asked in str(options.get(key, "")).splitlines():
            if asked.strip():
                _requirement(asked.strip(), found, runs)
    extras = parser["options.extras_require"] if parser.has_section("options.extras_require") else {}
    for extra, group in extras.items():
        for asked in group.splitlines():
            if asked.strip():
                _requirement(asked.strip(), found, runs=not _DEV.search(extra))
    licence = parser.get("metadata", "license", fallback="") or parser.get("metadata", "licence", fallback="")
    found.licences = (licence,) if licence else ()


def read_setup_py(text: str, path: str, found: Manifest) -> None:
    tree = ast.parse(text)
    named = {
        target.id: line.value
        for line in tree.body
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in (
            "install_requires",
            "setup_requires",
            "tests_require",
            "extras_require",
        ):
            given = named.get(node.value.id, node.value) if isinstance(node.value, ast.Name) else node.value
            keys = {id(key) for table in ast.walk(given) if isinstance(table, ast.Dict) for key in table.keys}
            for inner in ast.walk(given):
                if id(inner) in keys:
                    continue
                if (
                    isinstance(inner, ast.Constant)
                    and isinstance(inner.value, str)
                    and re.match(r"[\w.-]+\s*([\[<>=!~;@]|$)", inner.value)
                ):
                    _requirement(inner.value, found, runs=node.arg != "tests_require")
        elif isinstance(node, ast.keyword) and node.arg == "license" and isinstance(node.value, ast.Constant):
            found.licences = (str(node.value.value),)
        elif isinstance(node, ast.keyword) and node.arg == "cmdclass":
            found.scripts.add("cmdclass of setup.py")


def read_pipfile(text: str, path: str, found: Manifest) -> None:
    whole = tomllib.loads(text)
    _poetry_table(table_of(whole, "packages"), found, runs=True)
    _poetry_table(table_of(whole, "dev-packages"), found, runs=False)
    found.sources |= {str(table_of(source).get("url")) for source in items_of(whole.get("source"))}
