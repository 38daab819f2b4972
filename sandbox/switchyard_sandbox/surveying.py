"""Looks at a tree that a box wrote and copies out what differs: nothing of it is followed, executed or trusted.

Runs as a program of its own, since the tree may have to be mounted first. Nothing of the box is alive meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from switchyard_sandbox.names import escapes, forbids_link, is_git_like, is_unsafe

CAP_BYTES = 100 << 20
HOLLOW_BYTES = 256 << 20
"""What the holes of all copied files may take: nothing in the box, whose disk is limited, and all of it here."""
_DEEPEST = 200
_PIECE = 1 << 20
_BLOCK = 512
_SUBMODULE, _LINK, _EXECUTABLE, _FILE = "160000", "120000", "100755", "100644"

Entry = tuple[str, str]
"""Mode and blob."""


@dataclass(frozen=True)
class Request:
    """What to look at, and what is known about it."""

    after: str
    before: str
    """The tree that commands found, where it lies in layers; empty: the stamps say all."""
    spool: str
    commit: dict[str, Entry]
    anchor: dict[str, Entry]
    stamps: dict[str, list[int]]
    untouched: list[str]
    """Files that are not in the tree since commands left them as they found them."""
    ignores: dict[str, str]
    """The text of each ignore file of the commit, by the folder it lies in."""
    outside: list[str] = field(default_factory=list)
    """Files of the commit that were not laid out: one that is not there is unchanged."""
    links: dict[str, str] = field(default_factory=dict)
    """Symbolic links among them, with their targets."""


@dataclass
class Survey:
    """What differs."""

    files: list[str] = field(default_factory=list)
    """Copied below `tree` of the spool, at their own paths."""
    raw: dict[str, Entry] = field(default_factory=dict)
    """Attribute files: mode and where they were copied to; their content must not apply to the rest."""
    links: dict[str, str] = field(default_factory=dict)
    restored: list[str] = field(default_factory=list)
    """As the anchor has them although the commit differs."""
    deleted: list[str] = field(default_factory=list)
    findings: list[tuple[str, str, str]] = field(default_factory=list)
    """Path, kind, detail; every one refused."""


class Surveyor:
    """One walk over one tree."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._tree = Path(request.spool) / "tree"
        self._folders = {folder for path in request.commit for folder in _parents(path)}
        self._ignores = {
            folder: GitIgnoreSpec.from_lines(text.splitlines()) for folder, text in request.ignores.items()
        }
        self._algorithm = "sha256" if any(len(sha) == 64 for _, sha in request.commit.values()) else "sha1"
        self._seen: set[str] = set()
        self._all_links = dict(request.links)
        self._hollow_bytes = 0
        self._survey = Survey()

    def run(self) -> Survey:
        """Walk, then judge the links and name what is gone."""
        after = _open_top(self._request.after)
        before = os.open(self._request.before, os.O_RDONLY | os.O_DIRECTORY) if self._request.before else -1
        self._folder("", after, before, 0)
        for path in self._request.untouched:
            self._pass_by(path)
        self._judge_links()
        self._survey.deleted = sorted(self._gone())
        return self._survey

    def _pass_by(self, path: str) -> None:
        """A file that commands left as they found it: what the anchor says of it holds."""
        self._all_links.pop(path, None)
        self._seen.add(path)
        anchored = self._request.anchor.get(path)
        if anchored is not None and anchored != self._request.commit.get(path):
            self._survey.restored.append(path)

    def _gone(self) -> Iterator[str]:
        """What is in the commit, was laid out, and neither stands in the tree nor below what was refused."""
        kept = self._seen.union(self._request.outside)
        refused = {path for path, _, _ in self._survey.findings}
        for path, (mode, _) in self._request.commit.items():
            if path not in kept and mode != _SUBMODULE and refused.isdisjoint(_parents(path)):
                yield path

    def _folder(self, inner: str, after: int, before: int, depth: int) -> None:
        """One directory; it closes its descriptors."""
        try:
            for name in sorted(os.listdir(after)):
                if not inner and name == ".git":
                    continue
                self._entry(f"{inner}/{name}" if inner else name, name, after, before, depth)
        finally:
            os.close(after)
            if before >= 0:
                os.close(before)

    def _entry(self, path: str, name: str, after: int, before: int, depth: int) -> None:
        status = os.stat(name, dir_fd=after, follow_symlinks=False)
        is_folder = stat.S_ISDIR(status.st_mode)
        self._all_links.pop(path, None)
        if self._is_ignored(path, is_folder):
            return
        if path not in self._request.commit and path not in self._folders and self._is_bad_name(path, name):
            return
        if is_folder:
            self._descend(path, name, after, before, depth)
        elif stat.S_ISLNK(status.st_mode):
            self._link(path, name, after, before, status)
        elif stat.S_ISREG(status.st_mode):
            self._file(path, name, after, before, status)
        else:
            self._refuse(path, "special_file", "neither a file, a directory nor a symbolic link")

    def _descend(self, path: str, name: str, after: int, before: int, depth: int) -> None:
        if self._request.commit.get(path, ("", ""))[0] == _SUBMODULE:
            self._submodule(path, name, after)
            return
        if depth >= _DEEPEST:
            self._refuse(path, "too_deep", f"more than {_DEEPEST} directories deep")
            return
        try:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=after)
        except PermissionError:
            self._refuse(path, "unreadable", "its mode forbids to read it")
            return
        if not os.access(".", os.X_OK, dir_fd=inner):
            os.close(inner)
            self._refuse(path, "unreadable", "its mode forbids to enter it")
            return
        self._folder(path, inner, _open_folder(name, before), depth + 1)

    def _submodule(self, path: str, name: str, after: int) -> None:
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=after)
        try:
            if os.listdir(descriptor):  # noqa: PTH208
                self._refuse(path, "submodule", "files inside a submodule's folder are not carried out")
        finally:
            os.close(descriptor)

    def _link(self, path: str, name: str, after: int, before: int, status: os.stat_result) -> None:
        target = os.readlink(name, dir_fd=after)
        self._all_links[path] = target
        self._seen.add(path)
        if self._is_untouched(path, name, before, status):
            return
        if forbids_link(name):
            self._refuse(path, "unsafe_name", "git reads this file itself; it must not be a symbolic link")
        elif self._request.commit.get(path) != (_LINK, self._hash(os.fsencode(target))):
            self._survey.links[path] = target

    def _file(self, path: str, name: str, after: int, before: int, status: os.stat_result) -> None:
        self._seen.add(path)
        if self._is_untouched(path, name, before, status):
            return
        if excess := self._excess(status):
            self._refuse(path, "too_large", excess)
            return
        mode = _EXECUTABLE if status.st_mode & stat.S_IXUSR else _FILE
        is_raw = name == ".gitattributes"
        copy = Path(self._request.spool) / "raw" / str(len(self._survey.raw)) if is_raw else self._tree / path
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            blob = self._copy(name, after, copy, status.st_size)
        except PermissionError:
            self._refuse(path, "unreadable", "its mode forbids to read it")
            return
        except OSError as err:
            self._refuse(path, "unsafe_name", f"it could not be copied: {err.strerror}")
            return
        if self._request.commit.get(path) == (mode, blob):
            copy.unlink()
        elif is_raw:
            self._survey.raw[path] = (mode, str(copy))
        else:
            copy.chmod(0o755 if mode == _EXECUTABLE else 0o644)
            self._survey.files.append(path)

    def _excess(self, status: os.stat_result) -> str:
        """Why a file is more than is carried out; empty: it isn't."""
        if status.st_size > CAP_BYTES:
            return f"{status.st_size} bytes; at most {CAP_BYTES} are carried out"
        hollow = max(0, status.st_size - status.st_blocks * _BLOCK)
        if hollow and self._hollow_bytes + hollow > HOLLOW_BYTES:
            return f"{status.st_size} bytes; the holes of all files together would be more than {HOLLOW_BYTES}"
        self._hollow_bytes += hollow
        return ""

    def _is_untouched(self, path: str, name: str, before: int, status: os.stat_result) -> bool:
        """Whether commands left the file as they found it; then what the anchor says of it holds."""
        stamp = self._request.stamps.get(path) or _stamp(name, before)
        if stamp != [status.st_ino, status.st_ctime_ns, status.st_size, status.st_mode]:
            return False
        anchored = self._request.anchor.get(path)
        if anchored is None:
            # Set-up made it; a commit that tracks it has written it anew.
            return path not in self._request.commit
        if anchored != self._request.commit.get(path):
            self._survey.restored.append(path)
        return True

    def _copy(self, name: str, folder: int, copy: Path, size: int) -> str:
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        digest = hashlib.new(self._algorithm, f"blob {size}\0".encode())
        with open(source, "rb") as given, copy.open("wb") as kept:
            while piece := given.read(_PIECE):
                digest.update(piece)
                kept.write(piece)
        return digest.hexdigest()

    def _hash(self, content: bytes) -> str:
        return hashlib.new(self._algorithm, f"blob {len(content)}\0".encode() + content).hexdigest()

    def _is_ignored(self, path: str, is_folder: bool) -> bool:
        """Whether the commit's ignore files name it; what is tracked never is. The nearest file has the last word."""
        if path in self._request.commit or (is_folder and path in self._folders):
            return False
        for folder in (*_parents(path)[::-1], ""):
            spec = self._ignores.get(folder)
            if spec is None:
                continue
            inner = path[len(folder) + 1 :] if folder else path
            verdict = spec.check_file(inner + "/" if is_folder else inner).include
            if verdict is not None:
                return verdict
        return False

    def _is_bad_name(self, path: str, name: str) -> bool:
        if is_git_like(name):
            self._refuse(path, "nested_git", "a name that git or some file system takes for a repository")
        elif is_unsafe(name):
            self._refuse(path, "unsafe_name", "control characters in its name")
        else:
            return False
        return True

    def _judge_links(self) -> None:
        for path in sorted(self._survey.links):
            if escapes(path, self._all_links):
                target = self._survey.links.pop(path)
                self._refuse(path, "escaping_symlink", f"it leads out of the tree, to {target!r}")

    def _refuse(self, path: str, kind: str, detail: str) -> None:
        # What stands there in the commit stays.
        self._seen.add(path)
        self._survey.findings.append((path, kind, detail))


def _parents(path: str) -> list[str]:
    """The folders a path lies in, outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def _open_top(place: str) -> int:
    """The tree's own directory; its mode is no part of any result, and may shut us out."""
    if not os.access(place, os.R_OK | os.X_OK):
        os.chmod(place, 0o700)  # noqa: PTH101
    return os.open(place, os.O_RDONLY | os.O_DIRECTORY)


def _open_folder(name: str, parent: int) -> int:
    if parent < 0:
        return -1
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except OSError:
        return -1


def _stamp(name: str, folder: int) -> list[int] | None:
    if folder < 0:
        return None
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return [status.st_ino, status.st_ctime_ns, status.st_size, status.st_mode]


def load_request(text: str) -> Request:
    """From JSON."""
    plain = json.loads(text)
    for name in ("commit", "anchor"):
        plain[name] = _entries(plain[name])
    return Request(**plain)


def load_survey(text: str) -> Survey:
    """From JSON."""
    plain = json.loads(text)
    plain["raw"] = _entries(plain["raw"])
    plain["findings"] = [tuple(finding) for finding in plain["findings"]]
    return Survey(**plain)


def _entries(plain: Mapping[str, list[str]]) -> dict[str, Entry]:
    return {path: (mode, blob) for path, (mode, blob) in plain.items()}
