"""What `emulate` lacks of GitHub, and only that: branches that are real, merges that are real, refusals.

It accepts duplicate, empty and impossible pull requests, freezes `head.sha` and merges onto the wrong base.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fakes.github.bare import Bare

Json = Any
_MERGED_AT = "2026-01-01T00:00:00Z"


class Upstream(Protocol):
    """Asks `emulate`."""

    async def __call__(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> tuple[int, Json]:
        """Status and answer."""


@dataclass(frozen=True)
class Refusal(Exception):
    """An answer instead of what was asked."""

    status: int
    message: str
    errors: tuple[str, ...] = ()

    def document(self) -> Json:
        """In GitHub's shape."""
        told = [{"resource": "PullRequest", "code": "custom", "message": one} for one in self.errors]
        return {"message": self.message, "errors": told, "documentation_url": "https://docs.github.com/rest"}


class Mending:
    """The pull requests of one repository, kept true to its git repository."""

    def __init__(self, bare: Bare, full_name: str, upstream: Upstream) -> None:
        self._bare = bare
        self._root = f"/repos/{full_name}"
        self._owner = full_name.partition("/")[0]
        self._upstream = upstream
        self._frozen: dict[int, str] = {}
        """Where the head of a closed one was."""
        self._merged: dict[int, str] = {}
        self._last_seen: dict[int, str] = {}
        self._open: dict[int, tuple[str, str]] = {}
        """Head and base of the open ones that were told of."""
        self.forked: set[int] = set()
        """Those whose head lies in somebody's fork."""
        self.deletes_on_merge = False
        """Whether merging removes the head's branch, and gives what stands on it the merged one's base."""
        self.lagging_lists = 0
        """So many lists do not show anything yet."""
        self.is_settled = True
        """Whether `mergeable` is known."""
        self.protection = ""
        """Why nothing may be merged; empty: it may."""

    async def opening(self, wanted: Json) -> None:
        """Refuse what GitHub refuses; `emulate` would make the missing branch up."""
        heads = self._bare.heads()
        for field in ("head", "base"):
            if wanted[field] not in heads:
                raise Refusal(422, "Validation Failed", (f"{field} is invalid",))
        if heads[wanted["head"]] == heads[wanted["base"]]:
            raise Refusal(422, "Validation Failed", (f"No commits between {wanted['base']} and {wanted['head']}",))
        if wanted["head"] in {head for head, _ in self._open.values()}:
            told = f"A pull request already exists for {self._owner}:{wanted['head']}."
            raise Refusal(422, "Validation Failed", (told,))

    async def editing(self, number: int, wanted: Json) -> None:
        """Refuse what GitHub refuses, and remember where a head was when its pull request is closed."""
        _, pull = await self._upstream("GET", f"{self._root}/pulls/{number}")
        heads = self._bare.heads()
        base, head = wanted.get("base"), pull.get("head", {}).get("ref")
        if base is not None and base not in heads:
            raise Refusal(422, "Validation Failed", ("base is invalid",))
        if base is not None and pull["state"] == "closed":
            raise Refusal(422, "Validation Failed", ("Cannot change the base branch of a closed pull request.",))
        if wanted.get("state") == "open" and number in self._frozen:
            if heads.get(head) is None:
                raise Refusal(422, "Validation Failed", (f"state cannot be changed. The {head} branch was deleted.",))
            if pull["base"]["ref"] not in heads:
                raise Refusal(422, "Validation Failed", ("state cannot be changed. The base branch was deleted.",))
            del self._frozen[number]
        if wanted.get("state") == "closed" and pull.get("state") == "open":
            self._frozen[number] = heads.get(head, self._last_seen.get(number, ""))

    async def editing_issue(self, number: int, wanted: Json) -> Json | None:
        """A pull request changed as an issue, which `emulate` refuses; None where it is none, or none is told of."""
        status, pull = await self._upstream("GET", f"{self._root}/pulls/{number}")
        if status != 200:
            return None
        text = {name: wanted[name] for name in ("title", "body") if name in wanted}
        await self._upstream("PATCH", f"{self._root}/pulls/{number}", text)
        await self._upstream("PUT", f"{self._root}/issues/{number}/labels", {"labels": wanted["labels"]})
        return {"number": number, "state": pull["state"], **text}

    async def merge(self, number: int, wanted: Json) -> Json:
        """Merge by real git; `emulate` is told that the pull request is closed."""
        status, pull = await self._upstream("GET", f"{self._root}/pulls/{number}")
        if status != 200:
            raise Refusal(404, "Not Found")
        heads = self._bare.heads()
        head, base = heads.get(pull["head"]["ref"], ""), heads.get(pull["base"]["ref"], "")
        if pull["state"] == "closed" or self.protection or not head or not self._bare.is_clean(base, head):
            raise Refusal(405, self.protection or "Pull Request is not mergeable")
        if wanted.get("sha", head) != head:
            raise Refusal(409, "Head branch was modified. Review and try the merge again.")
        message = "\n\n".join(filter(None, (wanted.get("commit_title") or "Merge", wanted.get("commit_message"))))
        method = wanted.get("merge_method", "merge")
        self._merged[number] = self._bare.land(method, pull["base"]["ref"], head, message)
        self._frozen[number] = head
        await self._close(number)
        if self.deletes_on_merge:
            for other, (_, on) in list(self._open.items()):
                if on == pull["head"]["ref"]:
                    await self.retarget(other, pull["base"]["ref"])
            self._bare.delete(pull["head"]["ref"])
        return {"sha": self._merged[number], "merged": True, "message": "Pull Request successfully merged"}

    async def notice_deletions(self) -> None:
        """Close what lost its head or its base, as GitHub does when a branch is deleted."""
        heads = self._bare.heads()
        for number, (head, base) in list(self._open.items()):
            if head in heads and base in heads:
                self._last_seen[number] = heads[head]
            else:
                self._frozen[number] = heads.get(head, self._last_seen.get(number, ""))
                await self._close(number)

    def branches(self, number: int) -> tuple[str, str]:
        """Head and base of an open one."""
        return self._open[number]

    def is_closed(self, number: int) -> bool:
        """Whether it is closed or merged."""
        return number not in self._open

    def is_merged(self, number: int) -> bool:
        """Whether it is merged."""
        return number in self._merged

    async def retarget(self, number: int, base: str) -> None:
        """Give an open one another base."""
        await self._upstream("PATCH", f"{self._root}/pulls/{number}", {"base": base})
        self._open[number] = (self._open[number][0], base)

    async def _close(self, number: int) -> None:
        self._open.pop(number, None)
        await self._upstream("PATCH", f"{self._root}/pulls/{number}", {"state": "closed"})

    def truth(self, answer: Json, *, is_single: bool) -> Json:
        """An answer with heads, bases and merges as they really are."""
        if isinstance(answer, list) and self.lagging_lists:
            self.lagging_lists -= 1
            return []
        pulls = answer if isinstance(answer, list) else [answer]
        heads = self._bare.heads()
        for pull in pulls:
            if not isinstance(pull, dict) or "head" not in pull:
                continue
            number, base = pull["number"], heads.get(pull["base"]["ref"], "")
            if pull["state"] == "open":
                self._open[number] = (pull["head"]["ref"], pull["base"]["ref"])
                self._last_seen[number] = heads.get(pull["head"]["ref"], self._last_seen.get(number, ""))
            else:
                self._open.pop(number, None)
            head = self._frozen.get(number) or heads.get(pull["head"]["ref"], "")
            pull["head"]["sha"], pull["base"]["sha"] = head, base
            if number in self.forked:
                pull["head"]["repo"] = {**pull["head"]["repo"], "full_name": "somebody/fork"}
            if number in self._merged:
                pull |= {"merged_at": _MERGED_AT, "merge_commit_sha": self._merged[number], "merged": True}
            if is_single:
                pull |= self._mergeability(pull, base, head)
        return answer

    def permitted(self, answer: Json, login: str) -> Json:
        """The repository with what somebody may do there; `emulate` says that everybody may do everything."""
        is_owner = login == self._owner
        return {**answer, "permissions": {"admin": is_owner, "push": is_owner, "pull": True}}

    def _mergeability(self, pull: Json, base: str, head: str) -> Json:
        if pull["state"] == "closed" or not self.is_settled or not head or not base:
            return {"mergeable": None, "mergeable_state": "unknown"}
        if not self._bare.is_clean(base, head):
            return {"mergeable": False, "mergeable_state": "dirty"}
        return {"mergeable": True, "mergeable_state": "blocked" if self.protection else "clean"}
