"""What switchyard_templates raises."""

from __future__ import annotations

from pathlib import Path


class TemplatesError(Exception):
    """Root of what switchyard_templates raises: FolderTaken."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class FolderTaken(TemplatesError):
    """There is something where files were to be laid out; nothing was written."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} exists and is not an empty folder", hint="name a folder that is empty or absent")
        self.folder = folder
