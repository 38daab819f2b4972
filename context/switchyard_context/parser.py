"""What a parsing process does: reads the files it was given, one row after the other, and nothing else.

It is started without the rest of the package (see `workers.py`), so it may import only what it needs.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from collections.abc import Iterator
from hashlib import new as new_hash
from pathlib import Path
from typing import IO

from switchyard_context.facts import FileFacts, pack_facts
from switchyard_context.reading import read_facts
from switchyard_context.term_rows import TermHasher
from switchyard_context.terms import terms_of

ROW = struct.Struct("<II?")
"""The sizes of packed facts and terms, and whether the content was the one that was asked for."""
BASE_S, S_PER_MB = 4.0, 1.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY


def serve() -> None:
    """Answer the jobs of a file on stdout, while somebody waits for them; the argument is the file's descriptor."""
    with os.fdopen(int(sys.argv[1]), "rb") as questions:
        request = json.load(questions)
    jobs: list[tuple[str, str]] = request["jobs"]
    root = request["root"]
    contents = _read_files(root, jobs) if root is not None else _read_stream(sys.stdin.buffer, jobs)
    answers, hasher = sys.stdout.buffer, TermHasher()
    for (path, blob), content in zip(jobs, contents, strict=True):
        if os.getppid() != request["parent"]:
            return
        facts, terms = parse_file(path, content, hasher)
        answers.write(ROW.pack(len(facts), len(terms), content is not None and is_content(blob, content)))
        answers.write(facts + terms)
        answers.flush()


def parse_file(path: str, content: bytes | None, hasher: TermHasher) -> tuple[bytes, bytes]:
    """Packed facts and terms of one file; a grammar that does not come to an end ends the process."""
    if content is None:
        return pack_facts(FileFacts(problem="can't be read")), hasher.pack({})
    # The default action of the signal is to end the process: no code of ours runs while a grammar does.
    signal.setitimer(signal.ITIMER_PROF, BASE_S + len(content) / 1e6 * S_PER_MB)
    try:
        facts = read_facts(path, content)
    except Exception as error:
        facts = FileFacts(problem=f"the reader failed: {type(error).__name__}: {error}")
    terms = hasher.pack(terms_of(content, facts) if not facts.problem else {})
    signal.setitimer(signal.ITIMER_PROF, 0)
    return pack_facts(facts), terms


def is_content(blob: str, content: bytes) -> bool:
    """Whether git would give a content this id, its line endings aside."""
    return blob in (blob_id(content, len(blob)), blob_id(content.replace(b"\r\n", b"\n"), len(blob)))


def blob_id(content: bytes, digits: int = 40) -> str:
    """git's own id, so that what is known of a file still is once it is committed."""
    hashed = new_hash("sha1" if digits == 40 else "sha256", b"blob %d\0" % len(content), usedforsecurity=False)
    hashed.update(content)
    return hashed.hexdigest()


def read_file(root: str | Path, path: str) -> bytes | None:
    """A regular file's content; None if it can't be read.

    No link on the way is followed, neither the file nor a folder: what it points at may lie outside of the repository.

    Args:
        root: The top of the work tree.
        path: The file, from there.
    """
    *folders, name = path.split("/")
    try:
        place = os.open(root, _FOLDER)
        try:
            for folder in folders:
                above, place = place, os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=place)
                os.close(above)
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
        finally:
            os.close(place)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()
    except OSError:
        return None


def _read_files(root: str, jobs: list[tuple[str, str]]) -> Iterator[bytes | None]:
    for path, _ in jobs:
        yield read_file(root, path)


def _read_stream(stream: IO[bytes], jobs: list[tuple[str, str]]) -> Iterator[bytes | None]:
    """What `git cat-file --batch` writes: `<id> blob <size>`, then the content; `<id> missing` for what is not."""
    for _ in jobs:
        header = stream.readline().split()
        if len(header) != 3:
            yield None
            continue
        content = stream.read(int(header[2]))
        stream.read(1)
        yield content
