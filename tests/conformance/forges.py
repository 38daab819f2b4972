"""The forges that the conformance suite holds to one contract, each over a repository of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fakes.github.ground import Ground
from switchyard_git import FILE_MODE, CommitSha, RefName, RefUpdate, Repository, Signature
from switchyard_merge.forge import CheckState, Forge, LocalForge, NewPullRequest

ADA = Signature("Ada", "ada@example.org", 1_700_000_000)


@dataclass(frozen=True)
class World:
    """A forge and the repository that its branches lie in."""

    forge: Forge
    repository: Repository
    reopen: Callable[[], Forge]
    approve: Callable[[int], None]
    request_changes: Callable[[int], None]
    record_check: Callable[[int, str, CheckState], None]
    comments: Callable[[int], Sequence[str]]
    """The texts, oldest first."""

    def branch(self, name: str, text: str = "") -> CommitSha:
        """Create or move a branch to a commit of its own."""
        blob = self.repository.write_blob((text or name).encode())
        tree = self.repository.write_tree_from(None, {"file": (FILE_MODE, blob)})
        commit = self.repository.commit_tree(tree, [], f"{name}\n", author=ADA, committer=ADA)
        self.put(name, commit)
        return commit

    def grow(self, name: str, on: str, edits: Mapping[str, str | None], *, subject: str = "") -> CommitSha:
        """Create or move a branch to a commit with edits on top of another branch; None removes a file."""
        parent = self.tip(on)
        updates = {
            path: None if text is None else (FILE_MODE, self.repository.write_blob(text.encode()))
            for path, text in edits.items()
        }
        tree = self.repository.write_tree_from(self.repository.tree_of(parent), updates)
        message = f"{subject or name}\n"
        commit = self.repository.commit_tree(tree, [parent], message, author=ADA, committer=ADA)
        self.put(name, commit)
        return commit

    def put(self, name: str, commit: CommitSha) -> None:
        """Move a branch to a commit, as a push would."""
        ref = RefName(f"refs/heads/{name}")
        self.repository.update_refs([RefUpdate(ref, commit, self.repository.refs(ref).get(ref))])

    def tip(self, name: str) -> CommitSha:
        """Where a branch is."""
        return self.repository.resolve(f"refs/heads/{name}")

    def files(self, name: str) -> dict[str, str]:
        """Every file of a branch."""
        entries = self.repository.list_tree(self.tip(name))
        contents = dict(self.repository.read_blobs([entry.sha for entry in entries]))
        return {entry.path: contents[entry.sha].decode() for entry in entries}


def local_with_an_origin(place: Path) -> World:
    origin, factory = Repository.init_bare(place / "origin.git"), Repository.init_bare(place / "factory.git")
    return _world(place, factory, origin, origin.git_dir.as_uri())


def local_without_a_remote(place: Path) -> World:
    person = Repository.init(place / "person", branch="being-worked-on")
    return _world(place, Repository.init_bare(place / "factory.git"), person, str(person.git_dir))


def _world(place: Path, factory: Repository, target: Repository, address: str) -> World:
    def reopen() -> LocalForge:
        return LocalForge(place / "state" / "forge", factory, address)

    forge = reopen()
    return World(
        forge,
        target,
        reopen,
        approve=lambda number: forge.approve(number, by="ada"),
        request_changes=lambda number: forge.request_changes(number, by="ada"),
        record_check=forge.record_check,
        comments=lambda number: list(forge.comments(number).values()),
    )


def on_github(ground: Ground) -> World:
    """GitHub's wire, over a repository of our own."""
    runs = {"passed": ("completed", "success"), "failed": ("completed", "failure"), "pending": ("in_progress", "")}

    def record_check(number: int, name: str, state: CheckState) -> None:
        status, conclusion = runs[state]
        ground.check(ground.forge().get(number).head_sha, name, status=status, conclusion=conclusion)

    return World(
        ground.forge(),
        ground.repository,
        ground.forge,
        approve=lambda number: ground.review(number, "APPROVE"),
        request_changes=lambda number: ground.review(number, "REQUEST_CHANGES"),
        record_check=record_check,
        comments=lambda number: [text.partition("\n")[2] for text in ground.comments(number)],
    )


FORGES: dict[str, Callable[[Path], World]] = {
    "local, with an origin": local_with_an_origin,
    "local, without a remote": local_without_a_remote,
}


def new(head: str, base: str = "main", *, title: str = "Title", body: str = "Body\n") -> NewPullRequest:
    return NewPullRequest(title=title, body=body, head=head, base=base, labels=("one", "two"))
