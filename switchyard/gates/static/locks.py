"""What lock files pin: name and version of each package, where it comes from and what it must hash to."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from packaging.utils import canonicalize_name

from switchyard.gates.static.manifest import UnreadableManifest
from switchyard.gates.static.text import decode

_MOST_BYTES = 4_000_000
_REGISTRIES = frozenset(
    [
        "registry.npmjs.org",
        "registry.yarnpkg.com",
        "npm.jsr.io",
        "pypi.org",
        "files.pythonhosted.org",
        "index.crates.io",
        "static.crates.io",
        "proxy.golang.org",
        "repo.maven.apache.org",
        "repo1.maven.org",
        "plugins.gradle.org",
    ]
)
_FORGES = frozenset(["github.com", "codeload.github.com", "gitlab.com", "bitbucket.org", "codeberg.org"])
_CRATES = "registry+https://github.com/rust-lang/crates.io-index"


@dataclass(frozen=True)
class Pin:
    """One package at one version."""

    source: str = ""
    """A URL; "": not said."""
    digest: str = ""
    """What its content must hash to; "": nothing is checked."""
    needs_digest: bool = True
    """Whether a tool that writes such files would have given one."""
    runs_script: bool = False
    """Whether it is known to run something when it is installed."""


Pins = dict[tuple[str, str], Pin]


def read_lock(path: str, content: bytes | None) -> Pins | None:
    """What a lock file pins; None: it is none, or is not there.

    Raises:
        UnreadableManifest: It is broken.
    """
    reader = _READERS.get(path.rpartition("/")[2].lower())
    if reader is None or content is None:
        return None
    try:
        if len(content) > _MOST_BYTES:
            raise ValueError("too long")
        return reader(decode(content))
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, yaml.YAMLError, RecursionError) as err:
        raise UnreadableManifest(path) from err


def is_lock(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name in _READERS or name in ("pnpm-lock.yml", "bun.lock", "bun.lockb", "gradle.lockfile")


def is_usual(source: str) -> bool:
    """Whether a package comes from where such packages always come from."""
    return not source or source == _CRATES or urlsplit(source).hostname in _REGISTRIES


def host_of(source: str) -> str:
    """Scheme and host, with the repository where it is one of git, or the beginning of what is no address."""
    try:
        parts = urlsplit(source)
    except ValueError:
        return source[:60]
    if not parts.hostname:
        return source[:60]
    is_git = parts.scheme.startswith("git") or parts.hostname in _FORGES
    repository = "/".join(parts.path.removesuffix(".git").split("/")[:3]) if is_git else ""
    return f"{parts.scheme}://{parts.hostname}{repository}"


def _npm(text: str) -> Pins:
    whole = json.loads(text)
    found: Pins = {}
    for place, entry in whole.get("packages", {}).items():
        if place and isinstance(entry, dict) and not entry.get("link"):
            name = entry.get("name") or place.rpartition("node_modules/")[2]
            if "node_modules/" in place:
                _add_npm(found, str(name), entry)
    waiting = [whole.get("dependencies", {})] if not whole.get("packages") else []
    while waiting:
        for name, entry in waiting.pop().items():
            if isinstance(entry, dict):
                _add_npm(found, name, entry)
                waiting.append(entry.get("dependencies", {}))
    return found


def _add_npm(found: Pins, name: str, entry: Mapping[str, Any]) -> None:
    source = str(entry.get("resolved") or "")
    bundled = bool(entry.get("inBundle") or entry.get("bundled"))
    found[(name, str(entry.get("version") or source))] = Pin(
        _npm_source(name, source),
        str(entry.get("integrity") or ""),
        needs_digest=not bundled and source.startswith("http"),
        runs_script=bool(entry.get("hasInstallScript")),
    )


def _npm_source(name: str, source: str) -> str:
    """Where a package comes from; its name there where npm's registry gives another one's file."""
    match = re.match(r"https?://registry\.(?:npmjs\.org|yarnpkg\.com)/(.+?)/-/", source)
    got = unquote(match[1]) if match else name
    return source if got == name else f"npm:{got}"


def _yarn(text: str) -> Pins:
    found: Pins = {}
    for entry in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        lines = [line for line in entry.split("\n") if line and not line.startswith("#")]
        if not lines or lines[0].startswith((" ", "__metadata")):
            continue
        name = lines[0].strip('":').split(",")[0].strip('" ')
        values = {match[1]: match[2] for line in lines[1:] if (match := re.match(r'  (\w+):? "?([^"]*)"?$', line))}
        source = values.get("resolved", "").split("#")[0]
        if not source and "@workspace:" in name:
            continue
        resolution = values.get("resolution", "")
        source = source or (resolution if "http" in resolution else "")
        bare, asked = (name[: name.find("@", 1)], name[name.find("@", 1) + 1 :]) if "@" in name[1:] else (name, "")
        alias = re.fullmatch(r"npm:(@?[^@]+)@.*", asked)
        real, got = alias[1] if alias else bare, re.fullmatch(r"(@?[^@]+)@npm:.*", resolution)
        source = f"npm:{got[1]}" if got and got[1] != real else _npm_source(real, source)
        digest = values.get("integrity") or values.get("checksum", "") or values.get("resolved", "").partition("#")[2]
        found[(bare, values.get("version", ""))] = Pin(source, digest, needs_digest=source.startswith("http"))
    return found


def _pnpm(text: str) -> Pins:
    whole = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are the safe one
    found: Pins = {}
    for name, entry in (whole or {}).get("packages", {}).items():
        resolution = entry.get("resolution", {}) if isinstance(entry, dict) else {}
        bare, _, version = str(name).lstrip("/").rpartition("@")
        source = str(resolution.get("tarball") or resolution.get("repo") or "")
        found[(bare or str(name), version)] = Pin(
            source, str(resolution.get("integrity") or resolution.get("commit") or "")
        )
    return found


def _python_toml(text: str) -> Pins:
    whole = tomllib.loads(text)
    found: Pins = {}
    for entry in whole.get("package", whole.get("packages", [])):
        source = entry.get("source", {})
        files = [
            *entry.get("files", []),
            *entry.get("wheels", []),
            *([entry["sdist"]] if isinstance(entry.get("sdist"), dict) else []),
        ]
        files += whole.get("metadata", {}).get("files", {}).get(entry.get("name"), [])
        digests = sorted(str(one.get("hash") or one.get("hashes") or "") for one in files)
        where = next((str(source[key]) for key in ("registry", "url", "git") if key in source), "")
        urls = {host_of(str(one["url"])) for one in files if one.get("url")}
        strange = next((url for url in sorted(urls) if not is_usual(url)), "")
        if is_usual(where):
            strange = strange or next(_named_otherwise(str(entry["name"]), files), "")
        local = (
            any(key in source for key in ("editable", "virtual", "directory", "path"))
            or source.get("type") == "directory"
        )
        digest = "" if "" in digests else " ".join(digests)
        found[(str(entry["name"]), str(entry.get("version", "")))] = Pin(
            strange or where, digest, not local and "git" not in source
        )
    return found


def _named_otherwise(name: str, files: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Files of other packages, told by their names, as indexes insist on these."""
    for one in files:
        file = str(one.get("file") or one.get("url") or "").rpartition("/")[2]
        if file.endswith((".whl", ".tar.gz", ".zip")) and not canonicalize_name(file).startswith(
            f"{canonicalize_name(name)}-"
        ):
            yield f"pypi:{file}"


def _cargo(text: str) -> Pins:
    packages = tomllib.loads(text).get("package", [])
    return {
        (str(one["name"]), str(one["version"])): Pin(
            str(one.get("source", "")), str(one.get("checksum", "")), str(one.get("source", "")).startswith("registry+")
        )
        for one in packages
    }


def _go_sum(text: str) -> Pins:
    rows = (line.split() for line in text.splitlines() if line.strip())
    return {(row[0], row[1]): Pin("", row[2]) for row in rows}


def _pipfile(text: str) -> Pins:
    whole = json.loads(text)
    found: Pins = {}
    for group in ("default", "develop"):
        for name, entry in whole.get(group, {}).items():
            found[(name, str(entry.get("version", "")))] = Pin(
                "", " ".join(entry.get("hashes", [])), "version" in entry
            )
    for source in whole.get("_meta", {}).get("sources", []):
        found[(f"source {source.get('name')}", "")] = Pin(str(source.get("url")), "", needs_digest=False)
    return found


_PINNED = re.compile(r"(?m)^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\]+)((?:[^\n]*\\\r?\n)*[^\n]*)")


def _requirements_lock(text: str) -> Pins:
    hashed = "--hash=" in text
    found: Pins = {
        (name.lower(), version): Pin("", " ".join(sorted(re.findall(r"--hash=(\S+)", rest))), hashed)
        for name, version, rest in _PINNED.findall(text)
    }
    for url in re.findall(r"(?m)^--(?:extra-)?index-url[ =](\S+)", text):
        found[(f"index {url}", "")] = Pin(url, "", needs_digest=False)
    for name, url in re.findall(r"(?m)^([\w.-]+)\s*@\s*(\S+)", text):
        found[(name, url)] = Pin(url, "", needs_digest=False)
    return found


_READERS: Mapping[str, Callable[[str], Pins]] = {
    "package-lock.json": _npm,
    "npm-shrinkwrap.json": _npm,
    "yarn.lock": _yarn,
    "pnpm-lock.yaml": _pnpm,
    "poetry.lock": _python_toml,
    "uv.lock": _python_toml,
    "pdm.lock": _python_toml,
    "pylock.toml": _python_toml,
    "cargo.lock": _cargo,
    "go.sum": _go_sum,
    "go.work.sum": _go_sum,
    "pipfile.lock": _pipfile,
    "requirements.lock": _requirements_lock,
}
