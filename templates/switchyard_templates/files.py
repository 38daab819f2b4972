"""Where the packaged files stand on disk."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def demo_files() -> Path:
    """The folder whose content is the demo's monorepo."""
    return _folder("demo")


def init_files() -> Path:
    """The folder with the templates that `switchyard init` fills in."""
    return _folder("init")


def _folder(name: str) -> Path:
    # The wheel is unpacked on installation; a package run from inside a zip file is not supported.
    return Path(str(files("switchyard_templates"))) / name
