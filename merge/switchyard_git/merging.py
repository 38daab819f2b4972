"""Merges without a worktree; git is the authority on what conflicts, and many merges share one process.

As on a forge, no `.gitattributes` counts: it would let a branch choose which programs of the repository's own
configuration run here, and the verdict would hang on what somebody has checked out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from switchyard_git.errors import GitError, UnrelatedHistories
from switchyard_git.history import History
from switchyard_git.plumbing import decode, fields
from switchyard_git.process import Result
from switchyard_git.values import CommitSha, Conflicted, Merged, MergeMessage, TreeSha

# Said here, so that a repository's own configuration does not change the verdict.
_FIXED = (
    "merge.renames=true",
    "merge.directoryRenames=conflict",
    "merge.renameLimit=7000",
    "merge.conflictStyle=merge",
    "merge.renormalize=false",
)

_WORTH_A_PROCESS = 64
"""Pairs below which another process takes longer to start and warm up than it saves."""


@dataclass(frozen=True)
class Merging(History):
    """Verbs over merges."""

    def merge_tree(self, ours: CommitSha, theirs: CommitSha) -> Merged | Conflicted:
        """Merge two commits into a tree.

        Raises:
            UnrelatedHistories: They have no common ancestor here.
        """
        return self.merge_trees([(ours, theirs)])[0]

    def merge_trees(
        self, pairs: Sequence[tuple[CommitSha, CommitSha]], *, processes: int = 1
    ) -> list[Merged | Conflicted]:
        """Merge many pairs, in the order given.

        Args:
            processes: How many gits may share the work; each gets a run of the pairs that is worth starting it.
        """
        share = max(_WORTH_A_PROCESS, -(-len(pairs) // max(1, processes)))
        runs = [pairs[start : start + share] for start in range(0, len(pairs), share)]
        if len(runs) < 2:
            return self._merge_run(pairs)
        with ThreadPoolExecutor(len(runs)) as threads:
            return [outcome for outcomes in threads.map(self._merge_run, runs) for outcome in outcomes]

    def independent(self, commits: Sequence[CommitSha]) -> list[CommitSha]:
        """The commits that none of the others holds, in no order: the parents that a merge of all of them needs."""
        return self._bases("--independent", commits)

    def _merge_run(self, pairs: Sequence[tuple[CommitSha, CommitSha]]) -> list[Merged | Conflicted]:
        if not pairs:
            return []
        request = "".join(f"{ours} {theirs}\n" for ours, theirs in pairs).encode()
        flags = ("--write-tree", "--stdin", "-z", "--name-only", "--messages")
        # Without the work tree, whose `.gitattributes` git would read.
        bare = replace(self, worktree=None)
        result = bare._run("merge-tree", *flags, stdin=request, config=_FIXED, env=self._without_drivers())
        if result.code < 0:
            return self._after_crash(pairs, result)
        if "refusing to merge unrelated histories" in result.stderr:
            raise self._unrelated(pairs)
        if result.code:
            raise self._failed(("merge-tree",), result)
        outcomes = [_with_own_paths(it, pair) for it, pair in zip(_outcomes(result.stdout), pairs, strict=False)]
        if len(outcomes) != len(pairs):
            raise GitError(
                f"git merged {len(outcomes)} of {len(pairs)} pairs", hint="check the version of git: 2.38 or newer"
            )
        return outcomes

    def _unrelated(self, pairs: Sequence[tuple[CommitSha, CommitSha]]) -> UnrelatedHistories:
        ours, theirs = next((pair for pair in pairs if not self.merge_bases(*pair)), pairs[0])
        return UnrelatedHistories(
            f"{ours} and {theirs} have no common ancestor in {self.git_dir}",
            hint="in a shallow clone, fetch more history: `git fetch --unshallow`",
        )

    def _without_drivers(self) -> dict[str, str]:
        """An environment in which every merge program that the repository's configuration names only says no.

        `info/attributes` and `merge.default` may still choose one; what only it could merge is a conflict.
        """
        files = [self.common_dir / "config", self.git_dir / "config.worktree"]
        texts = [file.read_bytes().lower() for file in files if file.is_file()]
        if not any(word in text for text in texts for word in (b"driver", b"include")):
            return {}
        names = fields(self._run("config", "--name-only", "-z", "--get-regexp", r"^merge\..*\.driver$").stdout)
        settings = {f"GIT_CONFIG_KEY_{place}": decode(name) for place, name in enumerate(names)}
        settings |= {f"GIT_CONFIG_VALUE_{place}": "false" for place in range(len(names))}
        return settings | {"GIT_CONFIG_COUNT": str(len(names))}

    def _after_crash(self, pairs: Sequence[tuple[CommitSha, CommitSha]], crash: Result) -> list[Merged | Conflicted]:
        """Keep every other verdict when git dies on one pair; what git cannot merge is a conflict.

        git 2.39 aborts where one side renames a directory and the other puts a file in place of a folder in it
        (`merge-ort.c: handle_content_merge: Assertion`).
        """
        if len(pairs) > 1:
            half = len(pairs) // 2
            return self.merge_trees(pairs[:half]) + self.merge_trees(pairs[half:])
        ((ours, theirs),) = pairs
        paths = self._touched_by_both(ours, theirs)
        text = f"git died of signal {-crash.code} on this merge: {crash.stderr.strip()}"
        return [Conflicted(paths, (MergeMessage(paths, "CONFLICT (git crashed)", text),))]

    def _touched_by_both(self, ours: CommitSha, theirs: CommitSha) -> tuple[str, ...]:
        """The paths of either side that meet a path, or lie in or above one, of the other."""
        base = next(iter(self.merge_bases(ours, theirs)), None)
        if base is None:
            return ()
        one, other = ({change.path for change in self.changes(base, side)} for side in (ours, theirs))
        meeting = {path for path in one | other if _meets(path, one) and _meets(path, other)}
        return tuple(sorted(meeting or one | other))


def _with_own_paths(outcome: Merged | Conflicted, pair: tuple[CommitSha, CommitSha]) -> Merged | Conflicted:
    """Where a file meets a directory, git names the file `path~<commit>`; people know it as `path`."""
    if isinstance(outcome, Merged):
        return outcome
    paths = (re.sub(rf"~({pair[0]}|{pair[1]})(_\d+)?$", "", path) for path in outcome.paths)
    return replace(outcome, paths=tuple(dict.fromkeys(paths)))


def _meets(path: str, others: set[str]) -> bool:
    return any(path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in others)


def _outcomes(output: bytes) -> Iterator[Merged | Conflicted]:
    """Read records of: clean or not, tree, paths, an empty field, messages, an empty field."""
    fields = iter(output.split(b"\0")[:-1])
    for clean in fields:
        tree = TreeSha(next(fields).decode("ascii"))
        paths = tuple(decode(path) for path in iter(lambda: next(fields), b""))
        messages = tuple(_messages(fields))
        yield Merged(tree) if clean == b"1" else Conflicted(paths, messages)


def _messages(fields: Iterator[bytes]) -> Iterator[MergeMessage]:
    # Advice on submodules may stand where the empty field should be (git 2.39 prints it to stdout).
    while (count := next(fields)).isdigit():
        paths = tuple(decode(next(fields)) for _ in range(int(count)))
        kind, text = decode(next(fields)), decode(next(fields)).strip()
        yield MergeMessage(paths, kind, text)
