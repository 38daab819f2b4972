"""A GitHub of one's own for one test: a repository, branches, people, faults and forges that talk to it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from switchyard_git import FILE_MODE, Access, CommitSha, RefName, RefUpdate, Repository, Signature
from switchyard_merge.forge.github import Calls, Clock, FixedToken, GitHubAddress, GitHubForge, Tokens, Waiting

from fakes.github.bare import Bare
from fakes.github.faults import Faults
from fakes.github.proxy import Proxy, repository_path, serving
from fakes.github.service import OWNER, REVIEWER

ADA = Signature("Ada", "ada@example.org", 1_700_000_000)


class FakeTime:
    """A clock that jumps instead of waiting, and remembers what was waited for."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0
        self.slept: list[float] = []

    def clock(self) -> Clock:
        """For the forge."""
        return Clock(now=lambda: self.now_s, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


@dataclass(frozen=True)
class Ground:
    """One repository on a GitHub of our own."""

    proxy: Proxy
    repository: Repository
    """The bare repository behind it, as if one sat at GitHub's."""
    full_name: str
    time: FakeTime = field(default_factory=FakeTime)
    waits: list[Waiting] = field(default_factory=list)

    @property
    def faults(self) -> Faults:
        """What goes wrong, and what was asked."""
        return self.proxy.faults

    @property
    def address(self) -> GitHubAddress:
        """For the forge."""
        owner, _, name = self.full_name.partition("/")
        return GitHubAddress(owner, name, self.proxy.address)

    @property
    def url(self) -> str:
        """For git."""
        return self.address.clone_url

    def access(self, tokens: Tokens | None = None) -> Access:
        """For git, too."""
        chosen = tokens or FixedToken("tok_owner")
        return Access(self.address.host_url, chosen.token, renew=chosen.renew)

    def calls(self, tokens: Tokens | None = None, *, clock: Clock | None = None, **options: Any) -> Calls:
        """Requests of a client that has just started."""
        return Calls(
            self.address, tokens or FixedToken("tok_owner"), on_wait=self.waits.append,
            clock=clock or self.time.clock(), **options,
        )  # fmt: skip

    def forge(
        self,
        tokens: Tokens | None = None,
        *,
        since: datetime | None = None,
        native_stacks: bool = False,
        **options: Any,
    ) -> GitHubForge:
        """A forge that has just started."""
        return GitHubForge(self.calls(tokens, **options), since=since, native_stacks=native_stacks)

    def branch(self, name: str, text: str = "", *, parent: str = "") -> CommitSha:
        """Create or move a branch to a commit of its own, on top of another branch where one is named."""
        ref = RefName(f"refs/heads/{name}")
        below = [self.repository.resolve(f"refs/heads/{parent}")] if parent else []
        blob = self.repository.write_blob((text or name).encode())
        tree = self.repository.write_tree_from(
            self.repository.tree_of(below[0]) if below else None,
            {name.replace("/", "-")[:200] if parent else "file": (FILE_MODE, blob)},
        )
        commit = self.repository.commit_tree(tree, below, f"{name}\n", author=ADA, committer=ADA)
        self.repository.update_refs([RefUpdate(ref, commit, self.repository.refs(ref).get(ref))])
        return commit

    def delete_branch(self, name: str) -> CommitSha:
        """Remove a branch as somebody would on the web."""
        ref = RefName(f"refs/heads/{name}")
        sha = self.repository.refs(ref)[ref]
        self.repository.update_refs([RefUpdate(ref, None, sha)])
        return sha

    def heads(self) -> Mapping[str, str]:
        """Branches and where they are."""
        return Bare(self.repository.git_dir).heads()

    def ask(self, method: str, path: str, data: object = None, *, token: str = "tok_owner") -> Any:
        """A plain request of a person's, past the faults and the record."""
        answer = requests.request(
            method, f"{self.proxy.upstream}{path}", json=data, headers={"Authorization": f"token {token}"}, timeout=30
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def review(self, number: int, event: str) -> None:
        """What the reviewer says: `APPROVE`, `REQUEST_CHANGES` or `COMMENT`."""
        self.ask("POST", f"/repos/{self.full_name}/pulls/{number}/reviews", {"event": event}, token="tok_reviewer")

    def check(self, sha: str, name: str, *, status: str = "completed", conclusion: str = "success") -> None:
        """A check run on a commit."""
        self._mirror(CommitSha(sha))
        data = {"name": name, "head_sha": sha, "status": status, "conclusion": conclusion}
        self.ask("POST", f"/repos/{self.full_name}/check-runs", data)

    def comments(self, number: int) -> list[str]:
        """The comments on a pull request, oldest first."""
        found = self.ask("GET", f"/repos/{self.full_name}/issues/{number}/comments?per_page=100")
        return [comment["body"] for comment in found]

    def pulls(self) -> Sequence[Mapping[str, Any]]:
        """Every pull request as the service keeps it."""
        found: Sequence[Mapping[str, Any]] = self.ask("GET", f"/repos/{self.full_name}/pulls?state=all&per_page=100")
        return found

    def _mirror(self, sha: CommitSha) -> None:
        """Give the service a commit of one level of files, and its parents."""
        commit = self.repository.read_commits([sha])[0]
        for parent in commit.parents:
            self._mirror(parent)
        root = f"/repos/{self.full_name}/git"
        rows = []
        for entry in self.repository.list_tree(sha):
            content = dict(self.repository.read_blobs([entry.sha]))[entry.sha]
            told = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
            blob = self.ask("POST", f"{root}/blobs", told)["sha"]
            rows.append({"path": entry.path, "mode": "100644", "type": "blob", "sha": blob})
        tree = self.ask("POST", f"{root}/trees", {"tree": rows})["sha"]
        who = {"name": ADA.name, "email": ADA.email, "date": "2023-11-14T22:13:20Z"}
        made = self.ask(
            "POST",
            f"{root}/commits",
            {"message": commit.message, "tree": tree, "parents": list(commit.parents), "author": who, "committer": who},
        )
        assert made["sha"] == sha, "the mirrored commit differs"


@contextmanager
def ground(upstream: str, folder: Path, name: str) -> Iterator[Ground]:
    """A repository `octocat/<name>` with a branch main, served until the block ends."""
    full_name = f"{OWNER}/{name}"
    _create(upstream, name, full_name)
    repository = Repository.init_bare(repository_path(folder))
    proxy = Proxy(upstream, Bare(repository.git_dir), full_name, Faults())
    with serving(proxy):
        made = Ground(proxy, repository, full_name)
        made.branch("main")
        yield made


def _create(upstream: str, name: str, full_name: str) -> None:
    headers = {"Authorization": "token tok_owner"}
    ask: Callable[..., requests.Response] = requests.request
    made = ask("POST", f"{upstream}/user/repos", json={"name": name, "auto_init": True}, headers=headers, timeout=30)
    made.raise_for_status()
    place = f"{upstream}/repos/{full_name}/collaborators/{REVIEWER}"
    ask("PUT", place, json={"permission": "push"}, headers=headers, timeout=30).raise_for_status()
