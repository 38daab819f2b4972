"""Manifests of npm, pnpm, Go and Cargo."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import yaml

from switchyard.gates.static.manifest import Manifest, items_of, shown, table_of

_NPM_SOURCE = re.compile(
    r"(git|http|https|ssh|file|link|npm|github|gitlab|bitbucket)[+:]|[\w.-]+/[\w.-]+(#|$)|\.{0,2}/", re.IGNORECASE
)
_NPM_RUNS = {"dependencies": True, "optionalDependencies": True, "peerDependencies": True, "devDependencies": False}
_NPM_HOOKS = (
    "preinstall",
    "install",
    "postinstall",
    "prepare",
    "prepublish",
    "prepublishOnly",
    "prepack",
    "preprepare",
    "postprepare",
)


def read_package_json(text: str, path: str, found: Manifest) -> None:
    whole = json.loads(text)
    if not isinstance(whole, dict):
        raise ValueError("no object")
    for key, runs in _NPM_RUNS.items():
        for name, version in table_of(whole, key).items():
            asked = shown(version)
            found.add(name, asked, runs, asked if _NPM_SOURCE.match(asked) else "")
    for key in ("overrides", "resolutions"):
        found.sources |= {f"{key} of {name}: {shown(value)}" for name, value in table_of(whole, key).items()}
    found.sources |= {
        f"overrides of {name}: {shown(value)}" for name, value in table_of(whole, "pnpm", "overrides").items()
    }
    if table_of(whole, "publishConfig").get("registry"):
        found.sources.add(str(whole["publishConfig"]["registry"]))
    scripts = table_of(whole, "scripts")
    found.scripts |= {f"{hook}: {shown(scripts[hook])}" for hook in _NPM_HOOKS if hook in scripts}
    manager = shown(whole.get("packageManager", ""))
    if "://" in manager:
        found.sources.add(f"packageManager {manager}")
    found.scripts |= set(_trusted(whole)) | set(_trusted(table_of(whole, "pnpm")))
    licence = whole.get("license", whole.get("licenses"))
    found.licences = (shown(licence),) if licence is not None else ()


def _trusted(table: dict[str, Any]) -> Iterator[str]:
    """Dependencies whose own scripts an installation may run, as Bun and pnpm have them."""
    for key in ("trustedDependencies", "onlyBuiltDependencies"):
        for name in items_of(table.get(key)):
            yield f"the scripts of {shown(name)}"
    for name, may in table_of(table, "allowBuilds").items():
        if may:
            yield f"the scripts of {name}"
    if table.get("dangerouslyAllowAllBuilds"):
        yield "the scripts of all dependencies"


def read_pnpm_workspace(text: str, path: str, found: Manifest) -> None:
    try:
        whole = table_of(yaml.safe_load(text))
    except yaml.YAMLError as err:
        raise ValueError("no YAML") from err
    for catalogue in (table_of(whole, "catalog"), *map(table_of, table_of(whole, "catalogs").values())):
        for name, version in catalogue.items():
            asked = shown(version)
            found.add(name, asked, False, asked if _NPM_SOURCE.match(asked) else "")
    for key in ("overrides", "configDependencies", "packageExtensions", "patchedDependencies"):
        found.sources |= {f"{key} of {name}: {shown(value)}" for name, value in table_of(whole, key).items()}
    found.scripts |= set(_trusted(whole))


def read_go_mod(text: str, path: str, found: Manifest) -> None:
    block = ""
    for raw in text.splitlines():
        line, _, comment = raw.partition("//")
        words = line.split()
        if not words:
            continue
        if words[0] == ")":
            block = ""
            continue
        if words[-1] == "(":
            block = words[0]
            continue
        verb, rest = (block, words) if block else (words[0], words[1:])
        if verb == "require" and len(rest) >= 2:
            found.add(rest[0].strip('"`'), rest[1], runs="indirect" not in comment)
        elif verb in ("replace", "toolchain", "tool"):
            found.sources.add(f"{verb} {' '.join(rest)}")


def read_cargo(text: str, path: str, found: Manifest) -> None:
    whole = tomllib.loads(text)
    places = [whole, table_of(whole, "workspace"), *map(table_of, table_of(whole, "target").values())]
    for place in places:
        for key, runs in (("dependencies", True), ("build-dependencies", True), ("dev-dependencies", False)):
            for name, asked in table_of(place, key).items():
                source = {
                    part: asked[part]
                    for part in ("git", "path", "registry", "package")
                    if isinstance(asked, dict) and part in asked
                }
                found.add(name, shown(asked), runs, shown(source) if source else "")
    for key in ("patch", "replace"):
        found.sources |= {f"{key} {name}: {shown(value)}" for name, value in table_of(whole, key).items()}
    package = table_of(whole, "package")
    found.licences = tuple(shown(package[key]) for key in ("license", "license-file") if key in package)
    found.licences += tuple(
        shown(value) for key, value in table_of(whole, "workspace", "package").items() if key == "license"
    )
    if package.get("build"):
        found.scripts.add(f"build script {package['build']}")
