"""Which files are manifests, and how each kind is read."""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Mapping
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException

from switchyard.gates.static import manifests_jvm as jvm
from switchyard.gates.static import manifests_other as other
from switchyard.gates.static import manifests_python as python
from switchyard.gates.static.manifest import Manifest, UnreadableManifest
from switchyard.gates.static.text import decode

_MOST_BYTES = 1_000_000


def read_manifest(path: str, content: bytes | None) -> Manifest | None:
    """A file's wishes; None: it is no manifest, or is not there.

    Raises:
        UnreadableManifest: It is broken.
    """
    reader = _reader(path)
    if reader is None or content is None:
        return None
    found = Manifest()
    try:
        if len(content) > _MOST_BYTES:
            raise ValueError("too long")
        reader(decode(content).removeprefix("\ufeff"), path, found)
    except (ValueError, TypeError, AttributeError, KeyError, SyntaxError, configparser.Error, RecursionError) as err:
        raise UnreadableManifest(path) from err
    except (ParseError, DefusedXmlException, MemoryError) as err:
        raise UnreadableManifest(path) from err
    return found


def licences_of(path: str, content: bytes | None) -> tuple[str, ...] | None:
    """The licences that a manifest declares; None: it is none, or cannot be read."""
    try:
        found = read_manifest(path, content)
    except UnreadableManifest:
        return None
    return None if found is None else found.licences


def is_manifest(path: str) -> bool:
    return _reader(path) is not None


def _reader(path: str) -> Callable[[str, str, Manifest], None] | None:
    folder, _, name = path.lower().rpartition("/")
    if name in _READERS:
        return _READERS[name]
    if name.endswith((".gradle", ".gradle.kts")):
        return jvm.read_gradle
    if name.endswith(".versions.toml"):
        return jvm.read_gradle_catalogue
    in_requirements = folder.endswith("requirements") and name.endswith((".txt", ".in"))
    if in_requirements or re.fullmatch(r"[\w.-]*(requirements|constraints)[\w.-]*\.(txt|in)", name):
        return python.read_requirements
    return None


_READERS: Mapping[str, Callable[[str, str, Manifest], None]] = {
    "pyproject.toml": python.read_pyproject,
    "setup.cfg": python.read_setup_cfg,
    "setup.py": python.read_setup_py,
    "pipfile": python.read_pipfile,
    "package.json": other.read_package_json,
    "pnpm-workspace.yaml": other.read_pnpm_workspace,
    "go.mod": other.read_go_mod,
    "go.work": other.read_go_mod,
    "cargo.toml": other.read_cargo,
    "pom.xml": jvm.read_pom,
}
