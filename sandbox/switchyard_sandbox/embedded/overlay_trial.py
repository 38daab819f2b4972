"""A program of its own: mounts an overlay as a box would and tries what boxes need; exit code 0: it works."""

from __future__ import annotations

import os
import sys
import types

if __name__ == "__main__":
    _bare = types.ModuleType("switchyard_sandbox")
    _bare.__path__ = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]  # noqa: PTH100, PTH120
    sys.modules["switchyard_sandbox"] = _bare

from switchyard_sandbox.embedded import kernel, staging


def main(folder: str, kind: str) -> None:
    """Mount lower and upper of `folder` on its `merged`, and rename a directory of the lower where that must work."""
    as_root = kind == "root"
    kernel.enter_private_mounts(os.getuid(), os.getgid(), as_root=as_root)
    options = staging.overlay_options([f"{folder}/lower"], f"{folder}/upper", f"{folder}/work", as_root=as_root)
    kernel.mount("overlay", f"{folder}/merged", "overlay", 0, options)
    if as_root:
        os.rename(f"{folder}/merged/inner", f"{folder}/merged/renamed")  # noqa: PTH104


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
