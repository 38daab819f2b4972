"""GitHub's own stacks as they are documented, over real merges: a public preview that `emulate` does not have.

Source: https://github.github.io/gh-stack/reference/rest-api/ and …/merge-api/
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

from fakes.github.mending import Json, Mending, Refusal

Answer = tuple[int, Json]


@dataclass
class Stacking:
    """The stacks of one repository."""

    mending: Mending
    stacks: list[list[int]] = field(default_factory=list)
    """Numbers of pull requests, bottom first; a stack's number is its place here, plus 1."""
    polls_until_done: int = 2
    _running: dict[str, tuple[int, Json, int]] = field(default_factory=dict)

    async def answer(self, method: str, path: str, query: str, wanted: Json) -> Answer | None:
        """What GitHub would say; None for what is not about stacks."""
        merging = re.fullmatch(r"/pulls/(\d+)/merge(-async)?(?:/([\w-]+))?", path)
        if merging:
            return await self._merging(method, int(merging[1]), bool(merging[2]), merging[3], wanted)
        if path == "/stacks" and method == "GET":
            number = int(query.rpartition("=")[2])
            return 200, [self._stack(place) for place, stack in enumerate(self.stacks) if number in stack]
        if path == "/stacks" and method == "POST":
            self._refuse_gaps(wanted["pull_requests"])
            self.stacks.append(list(wanted["pull_requests"]))
            return 201, self._stack(len(self.stacks) - 1)
        if (adding := re.fullmatch(r"/stacks/(\d+)/add", path)) and method == "POST":
            place = int(adding[1]) - 1
            self._refuse_gaps([self.stacks[place][-1], *wanted["pull_requests"]])
            self.stacks[place] += wanted["pull_requests"]
            return 200, self._stack(place)
        return None

    async def _merging(self, method: str, number: int, is_async: bool, uuid: str | None, wanted: Json) -> Answer | None:
        below = next((stack[: stack.index(number) + 1] for stack in self.stacks if number in stack), [number])
        if not is_async:
            if len(below) > 1 or any(number in stack for stack in self.stacks):
                raise Refusal(405, "Pull request is part of a stack: use the asynchronous merge")
            return None
        if method == "PUT":
            if self.mending.is_merged(number):
                return 200, {"status": "merged", "details": {"message": "Pull request was merged."}}
            if self.mending.is_closed(number):
                return 400, {"status": "failed", "details": {"message": "Pull request is closed."}}
            name = f"merge-{len(self._running)}"
            for known, (other, _, polls) in self._running.items():
                if other == number and polls > 0:
                    return 409, {"status": "pending", "details": {"message": "already queued", "uuid": known}}
            self._running[name] = (number, wanted, self.polls_until_done)
            return 202, {"status": "pending", "details": {"message": "Merge request enqueued.", "uuid": name}}
        number, asked, polls = self._running[str(uuid)]
        self._running[str(uuid)] = (number, asked, polls - 1)
        if polls > 1:
            return 200, {"status": "pending", "details": {"message": "in progress", "uuid": uuid}}
        return 200, await self._land(below, asked)

    async def _land(self, below: list[int], asked: Json) -> Json:
        try:
            for number in (one for one in below if not self.mending.is_merged(one)):
                await self.mending.retarget(number, "main")
                wanted = {"merge_method": asked.get("merge_method", "merge")}
                done = await self.mending.merge(number, wanted | ({"sha": asked["sha"]} if number == below[-1] else {}))
        except Refusal as refusal:
            return {"status": "failed", "details": {"message": refusal.message}}
        return {"status": "merged", "details": {"message": "Pull request was merged.", "sha": done["sha"]}}

    def _refuse_gaps(self, numbers: list[int]) -> None:
        for lower, upper in itertools.pairwise(numbers):
            if self.mending.branches(upper)[1] != self.mending.branches(lower)[0]:
                raise Refusal(422, "Validation Failed", ("Pull requests must form a chain",))

    def _stack(self, place: int) -> Json:
        return {"number": place + 1, "pull_requests": [{"number": number} for number in self.stacks[place]]}
