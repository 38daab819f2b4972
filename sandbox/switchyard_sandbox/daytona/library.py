"""The part of this package that runs in boxes, as one archive: plain modules that need the standard library alone."""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_FOLDERS = (".", "embedded", "daytona")


@functools.cache
def library() -> bytes:
    """A zip file with `switchyard_sandbox` in it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for folder in _FOLDERS:
            for module in sorted((_PACKAGE / folder).glob("*.py")):
                packed.write(module, str(module.relative_to(_PACKAGE.parent)))
    return archive.getvalue()
