"""The program that surveys a box's tree: `survey.py FOLDER LIBRARIES` reads request.json there, writes survey.json."""

from __future__ import annotations

import sys
import types

if __name__ == "__main__":
    # The package's face would import every driver; a bare stand-in keeps the start cheap.
    _bare = types.ModuleType("switchyard_sandbox")
    _bare.__path__ = [__file__.rpartition("/")[0]]
    sys.modules["switchyard_sandbox"] = _bare
    # Started without site-packages; the one library that is needed lies here.
    sys.path.append(sys.argv[2])

import json
import os
from pathlib import Path

from switchyard_sandbox.embedded import staging
from switchyard_sandbox.embedded.job import Mount
from switchyard_sandbox.surveying import Surveyor, load_request

REQUEST, SURVEY, MOUNTS = "request.json", "survey.json", "mounts.json"


def main(folder: Path) -> None:
    """Mount what has to be mounted, look, and leave the result."""
    mounts = folder / MOUNTS
    if mounts.exists():
        plain = json.loads(mounts.read_text())
        staging.join(plain["namespace"], as_root=os.getuid() == 0)
        staging.place([Mount(**mount) for mount in plain["mounts"]])
    survey = Surveyor(load_request((folder / REQUEST).read_text())).run()
    (folder / SURVEY).write_text(json.dumps(vars(survey)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
