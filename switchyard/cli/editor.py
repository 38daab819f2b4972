"""Hands a text to the user's editor and takes it back."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from switchyard.errors import UsageError


def is_terminal() -> bool:
    """Whether somebody sits there who can be asked; without one nothing ever prompts."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def edit_text(text: str, name: str) -> str:
    """The text as the user leaves it in `$VISUAL` or `$EDITOR`; `name` is the file's name, for its highlighting.

    Raises:
        UsageError: There is no editor, or it failed.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="switchyard-edit-") as folder:
        file = Path(folder) / name
        file.write_bytes(text.encode("utf-8"))
        try:
            code = subprocess.run((*shlex.split(editor), str(file)), check=False).returncode
        except (OSError, ValueError) as err:
            raise UsageError(f"the editor '{editor}' cannot be started: {err}", hint="set EDITOR") from err
        if code:
            raise UsageError(f"the editor '{editor}' ended with {code}; nothing was changed")
        return file.read_bytes().decode("utf-8", errors="strict")
