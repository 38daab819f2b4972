"""How a Node project, or a workspace of them, is set up and tested."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from switchyard.config.survey.listing import Listing
from switchyard.config.survey.project import Project

REGISTRY = "registry.npmjs.org"

# The lock file says which program made it; npm alone is certain to be there, so it fetches the others.
_INSTALLS = (
    ("package-lock.json", "npm ci", (REGISTRY,)),
    ("npm-shrinkwrap.json", "npm ci", (REGISTRY,)),
    ("pnpm-lock.yaml", "npx --yes {pnpm} install --frozen-lockfile", (REGISTRY,)),
    ("yarn.lock", "npx --yes {yarn} install {frozen}", (REGISTRY, "registry.yarnpkg.com")),
)
_NO_TESTS = "no test specified"


def survey_node(listing: Listing) -> Project | None:
    """What a Node project needs; None where there is no package.json at the root."""
    package = _read_json(listing, "package.json")
    if not package:
        return None
    command, network = _install(listing, package)
    test = _test(listing, package)
    needs_modules = any(
        package.get(key) for key in ("dependencies", "devDependencies", "optionalDependencies", "workspaces")
    )
    if not (needs_modules or test):
        return None
    return Project(
        "node",
        setup=(command,) if needs_modules else (),
        network=network if needs_modules else (),
        test=test,
        # Test runners that watch for changes end by themselves when this is set.
        env={"CI": "true"} if test else {},
    )


def _install(listing: Listing, package: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    for lock, command, network in _INSTALLS:
        if listing.has(lock):
            yarn = _pinned(package, "yarn", "yarn@1")
            is_classic = yarn.startswith("yarn@1")
            names = {
                "pnpm": _pinned(package, "pnpm", "pnpm"),
                "yarn": yarn if is_classic else "@yarnpkg/cli-dist" + yarn.removeprefix("yarn"),
                "frozen": "--frozen-lockfile" if is_classic else "--immutable",
            }
            return command.format(**names), network
    return "npm install --no-package-lock", (REGISTRY,)


def _pinned(package: dict[str, Any], name: str, default: str) -> str:
    """The version that `packageManager` pins, as `name@version` without its hash."""
    match = re.match(rf"({name}@[0-9][\w.-]*)", str(package.get("packageManager", "")))
    return match[1] if match else default


def _test(listing: Listing, package: dict[str, Any]) -> str:
    folders = [folder for folder in listing.named("package.json", max_depth=3) if folder]
    members = {folder: _read_json(listing, f"{folder}/package.json") for folder in folders}
    if not package.get("workspaces"):
        members = {}
    if _has_test(package):
        test = "npm test"
    elif any(_has_test(member) for member in members.values()):
        test = "npm test --workspaces --if-present"
    else:
        return ""
    return f"npm run build && {test}" if _needs_build(listing, package, members) else test


def _needs_build(listing: Listing, package: dict[str, Any], members: Mapping[str, dict[str, Any]]) -> bool:
    """Whether members of a workspace find one another only through built files that nothing else builds."""
    scripts = package.get("scripts")
    if not isinstance(scripts, dict) or "build" not in scripts or "pretest" in scripts:
        return False
    entries = (
        posixpath.normpath(posixpath.join(folder, entry))
        for folder, member in members.items()
        for key in ("main", "module", "exports")
        for entry in _strings(member.get(key))
    )
    return any(entry.endswith((".js", ".mjs", ".cjs")) and not listing.has(entry) for entry in entries)


def _strings(value: object) -> Iterator[str]:
    """Every text in a value of JSON; `exports` nests conditions to any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)


def _has_test(package: dict[str, Any]) -> bool:
    scripts = package.get("scripts")
    test = scripts.get("test") if isinstance(scripts, dict) else None
    return isinstance(test, str) and bool(test.strip()) and _NO_TESTS not in test


def _read_json(listing: Listing, path: str) -> dict[str, Any]:
    try:
        found = json.loads(listing.text(path) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
