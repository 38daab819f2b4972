"""A change under the tests that were there before it: its tree with the base's own tests and their configuration."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from switchyard_git import Change, CommitSha, ObjectSha, Repository

from switchyard.gates.sections import with_base_sections
from switchyard.gates.test_files import SECTIONED, is_put_back, is_script, programs_of, scripts_behind
from switchyard.packets import PlannedTask, Restored
from switchyard.workflow.factory import Factory, signature
from switchyard.workflow.paths import printable

_ABSENT = "000000"
_REGULAR = ("100644", "100755")

Update = tuple[str, ObjectSha] | None
"""Mode and object that a path gets; None: it goes."""


def restore_tests(factory: Factory, task: PlannedTask, base: CommitSha, commit: CommitSha, timestamp: int) -> Restored:
    """Put the base's tests and test configuration back over an attempt's tree, as a commit that no ref names."""
    quarantine = factory.quarantine
    changes = quarantine.changes(base, commit)
    now = {change.path: (change.new_mode, change.new_sha) for change in changes if change.new_mode != _ABSENT}
    updates = {
        path: update
        for path, update in _Restoration(quarantine, base, task).updates(changes)
        if update != now.get(path)
    }
    before = quarantine.tree_of(commit)
    tree = quarantine.write_tree_from(before, updates) if updates else before
    if tree == before:
        return Restored()
    who = signature(timestamp)
    message = f"{task.title}, under the tests of its base\n"
    existed = {change.path for change in changes if change.old_mode != _ABSENT}
    return Restored(
        commit=quarantine.commit_tree(tree, [commit], message, author=who, committer=who),
        put_back=tuple(sorted(printable(path) for path in updates if path in existed)),
        left_out=tuple(sorted(printable(path) for path in updates if path not in existed)),
    )


@dataclass(frozen=True)
class _Restoration:
    repository: Repository
    base: CommitSha
    task: PlannedTask

    def updates(self, changes: Collection[Change]) -> Iterator[tuple[str, Update]]:
        scripts, programs = self._scripts(changes), self._programs()
        for change in changes:
            is_new = change.old_mode == _ABSENT
            path = change.path
            if (
                is_put_back(path, is_new=is_new, allow=self.task.allow)
                or path in scripts
                or (is_new and _shadows(path, change.new_mode, programs))
            ):
                yield path, None if is_new else (change.old_mode, change.old_sha)
            elif path.rpartition("/")[2] in SECTIONED and change.new_mode in _REGULAR:
                yield path, self._merged(change)
            elif path.rpartition("/")[2] in SECTIONED and not is_new:
                yield path, (change.old_mode, change.old_sha)

    def _scripts(self, changes: Collection[Change]) -> set[str]:
        """The scripts of checks that were changed; read on the base, where the agent has no say."""
        existing = {change.path for change in changes if change.old_mode != _ABSENT and is_script(change.path)}
        if not existing:
            return set()
        entries = self.repository.list_entries(self.base)
        blobs = {path: ObjectSha(sha) for path, mode, sha in entries if mode in _REGULAR}
        behind = scripts_behind(self.task.checks.values(), blobs, lambda path: self._content(blobs[path]))
        return behind & existing

    def _programs(self) -> set[str]:
        return {name for command in self.task.checks.values() for name in programs_of(command)}

    def _merged(self, change: Change) -> Update:
        before = self._content(change.old_sha) if change.old_mode in _REGULAR else None
        after = self._content(change.new_sha)
        merged = with_base_sections(change.path, before, after)
        return change.new_mode, change.new_sha if merged == after else self.repository.write_blob(merged)

    def _content(self, blob: ObjectSha) -> bytes:
        return next(content for _, content in self.repository.read_blobs([blob]))


def _shadows(path: str, mode: str, programs: Collection[str]) -> bool:
    """Whether a new file can stand in for a program that a check starts."""
    return path.rpartition("/")[2] in programs and mode in ("100755", "120000")
