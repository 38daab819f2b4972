"""The mirror that boxes get their code from: what a fetch that broke off left there is not taken for whole."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sandbox.boxes import make_ground


def test_a_fetch_that_broke_off_is_done_again(tmp_path: Path) -> None:
    ground = make_ground(tmp_path, "none")
    ground.box(ground.spec(ground.commit({"a": "a\n"})))
    commit = ground.commit({"b": "b\n"})
    # A full disk or a kill leaves what was written so far: here the commit itself, and nothing below it.
    alone = ("git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally")
    content = ground.git("cat-file", "commit", commit).encode()
    subprocess.run(alone, cwd=ground.state / "mirror.git", input=content, check=True, capture_output=True)
    box = ground.box(ground.spec(commit))
    assert ground.did(box, "cat b; git fsck --connectivity-only") == "b\n"
    ground.close()
