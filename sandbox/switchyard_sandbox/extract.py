"""Code out: a box's tree into the quarantine repository, with host git working on copies of plain files alone.

Attributes of line endings and ignore files are the commit's, never what the box made of them. What can't be carried out
safely is a finding, and what stands at its path in the commit stays.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pathspec
from switchyard_git import Change, CommitSha, GitError, ObjectSha, Repository, TreeEntry
from switchyard_git.staging import Staging

from switchyard_sandbox.contract import Extraction, Finding, SandboxError
from switchyard_sandbox.embedded.job import Mount
from switchyard_sandbox.embedded.locking import hold
from switchyard_sandbox.journal import Entry, lock_path
from switchyard_sandbox.launch import run
from switchyard_sandbox.names import colliding, shortened
from switchyard_sandbox.sparse import laid_out
from switchyard_sandbox.survey import MOUNTS, REQUEST, SURVEY
from switchyard_sandbox.surveying import Request, Survey, load_survey

_PROGRAM = Path(__file__).with_name("survey.py")
_LIBRARIES = str(Path(pathspec.__file__).parent.parent)
_SURVEY_S = 1800.0
_LINK = "120000"
_NO_FILTER = ("unspecified", "unset", "")


@dataclass(frozen=True)
class View:
    """Where a driver lets a box's tree be seen."""

    after: str
    before: str = ""
    """The tree as commands found it, where it lies in layers; empty: `stamps` say all."""
    stamps: dict[str, list[int]] = field(default_factory=dict)
    untouched: tuple[str, ...] = ()
    """Files that are not there because they are as commands found them."""
    namespace: int = 0
    """The process among whose mounts the tree stands; 0: it stands in the open."""
    mounts: tuple[Mount, ...] = ()


def extract(folder: Path, entry: Entry, quarantine: Path, view: View | Callable[[Path], View]) -> Extraction:
    """Write the tree of the box at `folder` into `quarantine`.

    Args:
        view: The tree, or what brings it below a folder that is removed afterwards, while no command runs.

    Raises:
        SandboxError: The tree can't be read, or the quarantine can't be written.
    """
    with hold(str(lock_path(folder))), tempfile.TemporaryDirectory(prefix="extract-", dir=folder) as spool:
        try:
            seen = view if isinstance(view, View) else view(Path(spool))
            return _extract(Path(spool), entry, quarantine, seen)
        except GitError as err:
            raise SandboxError(f"box {entry.id} could not be extracted: {err}", hint=err.hint) from err


def _extract(spool: Path, entry: Entry, quarantine: Path, view: View) -> Extraction:
    target = _quarantine_with(entry, quarantine)
    source = Repository.open(Path(entry.repository))
    commit = target.list_tree(entry.commit)
    anchor = commit if entry.anchor == entry.commit else source.list_tree(entry.anchor)
    survey = _survey(spool, view, _request(entry, target, commit, anchor, spool, view))
    staging = Staging.begin(target, CommitSha(entry.commit), spool)
    findings = [Finding(path, kind, detail, refused=True) for path, kind, detail in survey.findings]
    findings += _stage(staging, target, survey, commit, {item.path: item for item in anchor}, spool)
    tree = staging.write()
    changes = target.changes(entry.commit, tree)
    findings += _collisions(commit, changes)
    shown = [replace(finding, path=shortened(finding.path)) for finding in findings]
    changed = sorted(change.path for change in changes)
    return Extraction(tree, tuple(changed), tuple(sorted(shown, key=lambda finding: finding.path)))


def _collisions(commit: list[TreeEntry], changes: list[Change]) -> list[Finding]:
    """Names that the box added and that some machines can't tell from others of the tree."""
    added = {change.path for change in changes if change.status == "A"}
    gone = {change.path for change in changes if change.status == "D"}
    found = colliding(added, ({item.path for item in commit} - gone) | added)
    return [
        Finding(path, "colliding_name", f"file systems that ignore case or composition take it for {other!r}", False)
        for path, other in found.items()
    ]


def _quarantine_with(entry: Entry, quarantine: Path) -> Repository:
    """The quarantine, holding the box's commit."""
    target = Repository.open(quarantine)
    if not target.has_commit(entry.commit):
        target.fetch(Path(entry.repository), [entry.commit])
    return target


def _request(
    entry: Entry, target: Repository, commit: list[TreeEntry], anchor: list[TreeEntry], spool: Path, view: View
) -> Request:
    inside = laid_out((item.path for item in commit), entry.paths)
    outside = [item for item in commit if item.path not in inside]
    links = [item for item in outside if item.mode == _LINK]
    targets = dict(target.read_blobs([item.sha for item in links]))
    return Request(
        after=view.after,
        before=view.before,
        spool=str(spool),
        commit={item.path: (item.mode, item.sha) for item in commit},
        anchor={item.path: (item.mode, item.sha) for item in anchor},
        stamps=view.stamps,
        untouched=list(view.untouched),
        ignores=_texts(target, commit, ".gitignore"),
        outside=[item.path for item in outside],
        links={item.path: targets[item.sha].decode("utf-8", "surrogateescape") for item in links},
    )


def _survey(spool: Path, view: View, request: Request) -> Survey:
    """Let a program of its own look at the tree, in mounts of its own where it needs them."""
    (spool / REQUEST).write_text(json.dumps(vars(request)))
    if view.namespace:
        mounts = [vars(mount) for mount in view.mounts]
        (spool / MOUNTS).write_text(json.dumps({"namespace": view.namespace, "mounts": mounts}))
    result = run(
        (sys.executable, "-I", "-S", str(_PROGRAM), str(spool), _LIBRARIES), cwd=Path("/"), timeout_s=_SURVEY_S
    )
    if result.code:
        said = result.stderr.decode("utf-8", "replace").strip()
        raise SandboxError(f"the tree of {spool.parent} could not be read: {said}", hint="look at the disk's health")
    return load_survey((spool / SURVEY).read_text())


def _stage(
    staging: Staging,
    target: Repository,
    survey: Survey,
    commit: list[TreeEntry],
    anchor: dict[str, TreeEntry],
    spool: Path,
) -> list[Finding]:
    """Bring the differences into the index; returns what only git could refuse."""
    _place_attributes(target, commit, staging.files)
    filters = staging.attributes("filter", survey.files)
    filtered = [path for path in survey.files if filters.get(path, "") not in _NO_FILTER]
    plain = [path for path in survey.files if path not in set(filtered)]
    staging.set_entries(dict.fromkeys(survey.deleted))
    refused = staging.add(plain)
    loose = {path: (_LINK, target.write_blob(_bytes(link))) for path, link in survey.links.items()}
    loose |= {path: (mode, target.write_blob(Path(copy).read_bytes())) for path, (mode, copy) in survey.raw.items()}
    loose |= {path: (anchor[path].mode, ObjectSha(anchor[path].sha)) for path in survey.restored}
    staging.set_entries(loose)
    return [
        *(
            Finding(path, "unsupported_filter", f"its content passes the filter {filters[path]!r}", refused=True)
            for path in filtered
        ),
        *(Finding(path, "unsafe_name", "git refuses it", refused=True) for path in refused),
    ]


def _place_attributes(target: Repository, commit: list[TreeEntry], tree: Path) -> None:
    """Put the commit's attribute files among the copies; a folder that is a file now has none to apply."""
    for folder, content in _texts(target, commit, ".gitattributes").items():
        place = tree / folder
        try:
            place.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            continue
        (place / ".gitattributes").write_bytes(_bytes(content))


def _texts(repository: Repository, commit: list[TreeEntry], name: str) -> dict[str, str]:
    """The files of one name in a commit, by the folder they lie in."""
    found = [item for item in commit if item.path.rpartition("/")[2] == name and item.mode.startswith("100")]
    contents = dict(repository.read_blobs([item.sha for item in found]))
    return {item.path.rpartition("/")[0]: contents[item.sha].decode("utf-8", "surrogateescape") for item in found}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
