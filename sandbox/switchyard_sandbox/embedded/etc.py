"""The /etc of all boxes of a state: some of the host's, the rest made up; one copy, since one mount is cheap to make.

A copy is made anew when the host's changes; boxes that live keep theirs.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from switchyard_sandbox.embedded.confinement import BOX_UID, CERTIFICATES, HOME
from switchyard_sandbox.embedded.locking import hold

_FORMAT = 1
_SHARED = (
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "fonts",
    "java-11-openjdk",
    "java-17-openjdk",
    "java-21-openjdk",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "os-release",
    "perl",
    "pki",
    "protocols",
    "python3",
    "python3.11",
    "python3.12",
    "python3.13",
    "services",
    "ssl",
    "terminfo",
    "timezone",
)
"""What boxes see of the host's /etc: nothing that tells of its users or its network."""
_OWN = {
    "passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:{BOX_UID}:{BOX_UID}:agent:{HOME}:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": f"root:x:0:\nagent:x:{BOX_UID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost switchyard\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


@functools.lru_cache(maxsize=8)
def prepare(state: Path) -> Path:
    """The folder of a state that boxes get as their /etc; looked at once by a process."""
    folder = state / "etc"
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / _key()
    with hold(str(folder / "lock")):
        if not place.is_dir():
            fresh = folder / ".new"
            shutil.rmtree(fresh, ignore_errors=True)
            _build(fresh)
            fresh.rename(place)
    return place


def _build(fresh: Path) -> None:
    fresh.mkdir(mode=0o755)
    fresh.chmod(0o755)
    for name in _SHARED:
        source = Path("/etc") / name
        # What our user may not read, a box's may not either.
        with suppress(shutil.Error, PermissionError, FileNotFoundError):
            if source.is_dir():
                shutil.copytree(source, fresh / name, symlinks=True, ignore_dangling_symlinks=True)
            else:
                shutil.copy2(source, fresh / name, follow_symlinks=False)
    # A mount point for the authorities that a box with a network trusts.
    for name, text in {**_OWN, Path(CERTIFICATES).name: ""}.items():
        (fresh / name).write_text(text)
        (fresh / name).chmod(0o644)


def _key() -> str:
    found = [f"{place} {place.lstat().st_mtime_ns}" for place in _places()]
    return hashlib.sha256("\n".join([str(_FORMAT), *_OWN.values(), *found]).encode()).hexdigest()[:16]


def _places() -> Iterator[Path]:
    """Every file and folder whose change would be seen."""
    for name in _SHARED:
        place = Path("/etc") / name
        if os.path.lexists(place):
            yield place
        for folder, _, _ in os.walk(place):
            yield Path(folder)
