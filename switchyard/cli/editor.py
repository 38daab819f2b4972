"""Hands a text to the user's editor and takes it back."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from switchyard.errors import SwitchyardError, UsageError

T = TypeVar("T")


def is_terminal() -> bool:
    """Whether somebody sits there who can be asked; without one nothing ever prompts."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def edit_text(text: str, name: str, accept: Callable[[str], T]) -> T:
    """What `accept` makes of the text as the user leaves it in `$VISUAL` or `$EDITOR`.

    Args:
        text: What the editor shows first.
        name: The file's name, for the editor's highlighting.
        accept: Takes the new text; when it refuses, the text is kept and the error says where.

    Raises:
        UsageError: There is no editor, or it failed.
    """
    folder = Path(tempfile.mkdtemp(prefix="switchyard-edit-"))
    file = folder / name
    file.write_bytes(text.encode("utf-8"))
    _open_editor(file)
    try:
        accepted = accept(_read(file))
    except SwitchyardError as err:
        err.hint = f"{err.hint + '; ' if err.hint else ''}your text is kept in {file}"
        raise
    shutil.rmtree(folder)
    return accepted


def _open_editor(file: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        code = subprocess.run((*shlex.split(editor), str(file)), check=False).returncode
    except (OSError, ValueError) as err:
        raise UsageError(f"the editor '{editor}' cannot be started: {err}", hint="set EDITOR") from err
    if code:
        raise UsageError(f"the editor '{editor}' ended with {code}; nothing was changed", hint=f"the text is in {file}")


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as err:
        raise UsageError("the text is not UTF-8", hint="save it as UTF-8") from err
