"""The merge queue: pull requests landed one on another in advance, and the culprits found where that is red."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from switchyard_git import CommitSha, RefName, Repository

from switchyard_merge.body import quoted
from switchyard_merge.errors import NotMergeable
from switchyard_merge.forge.contract import MergeMethod
from switchyard_merge.forge.landing import Landing, landed_commit
from switchyard_merge.navigation import code
from switchyard_merge.restack import Restacked, replay_branch
from switchyard_merge.verdicts import Journal


@dataclass(frozen=True)
class Candidate:
    """A pull request that people and the forge let land."""

    branch: str
    number: int
    title: str
    tip: CommitSha
    floor: CommitSha
    """What its own commits begin on."""
    parents: tuple[str, ...] = ()
    """Branches that land before it; the rest of what it stands on is on the base."""


@dataclass(frozen=True)
class Prefix:
    """The base with every candidate up to one landed on it."""

    candidate: Candidate
    commit: CommitSha


@dataclass(frozen=True)
class Train:
    """Candidates landed one on another, on objects alone."""

    prefixes: tuple[Prefix, ...]
    refused: Mapping[str, str]
    """Branches that do not go onto what is before them → why."""


@dataclass(frozen=True)
class Ejected:
    """A pull request taken out of the queue."""

    branch: str
    number: int
    evidence: str
    """What the check said; of a culprit that was ejected, for what stands on it."""
    beside: tuple[str, ...]
    """The branches that it was checked on top of; without them it may well be green."""
    because_of: str = ""
    """The culprit that it stands on; empty: it is one itself."""

    @property
    def why(self) -> str:
        """Why it waits, in a few words."""
        return f"stands on {self.because_of}, which was ejected" if self.because_of else "its checks are red"

    @property
    def comment(self) -> str:
        """The comment on its pull request, in Markdown."""
        if self.because_of:
            return f"Not landed: it stands on {code(self.because_of)}, whose checks are red. It lands after that one."
        beside = "".join(f"\n- {code(branch)}" for branch in self.beside)
        with_others = f"\n\nIt was checked on top of:{beside}" if beside else ""
        evidence = f"\n\nThe check said:\n\n{quoted(self.evidence)}" if self.evidence else ""
        return f"Not landed: the base would turn red with it.{with_others}{evidence}"


@dataclass
class Settled:
    """What may land, and what may not."""

    train: Train
    ejected: list[Ejected] = field(default_factory=list)
    is_base_red: bool = False
    """The base fails without any of them: nobody is to blame, and nothing can land."""


def assemble(
    repository: Repository, base_ref: RefName, base: CommitSha, candidates: Sequence[Candidate], method: MergeMethod
) -> Train:
    """Land candidates on the base one after the other as the forge would; no ref is moved.

    Args:
        candidates: Parents before children.
    """
    at, prefixes, refused = base, list[Prefix](), dict[str, str]()
    for one in candidates:
        below = next((parent for parent in one.parents if parent in refused), None)
        try:
            if below:
                raise NotMergeable(one.number, f"stands on {below}, which does not land")
            head = _on(repository, one, at, method)
            at = landed_commit(repository, Landing(one.number, head, at, base_ref, one.title), method)
        except NotMergeable as err:
            refused[one.branch] = err.reason
            continue
        prefixes.append(Prefix(one, at))
    return Train(tuple(prefixes), refused)


def _on(repository: Repository, one: Candidate, at: CommitSha, method: MergeMethod) -> CommitSha:
    """The head to land: once its parents landed under other names, only its own commits are to be landed."""
    if method == "merge" or not one.parents:
        return one.tip
    outcome = replay_branch(repository, floor=one.floor, tip=one.tip, onto=at)
    if not isinstance(outcome, Restacked):
        raise NotMergeable(one.number, f"conflicts in {', '.join(outcome.paths)}")
    return outcome.tip


@dataclass(frozen=True)
class Queue:
    """Finds the candidates that are green together."""

    repository: Repository
    journal: Journal
    base_ref: RefName
    base: CommitSha
    method: MergeMethod
    reds: int
    """How many red runs with a candidate in them it takes to eject it; fewer are a flake."""
    lands_singly: bool = False
    """Whether the base will be at each of them for a while, and so each has to be green; else the last is enough."""

    def settle(self, candidates: Sequence[Candidate]) -> Settled:
        """Check all of them together; where that is red, eject culprits and what stands on them until it is green.

        One culprit of n costs at most ⌈log₂ n⌉ + 1 runs more than the others by themselves, flakes and a check of the
        base aside. No tree is checked twice.
        """
        rest = list(candidates)
        settled = Settled(self._train(rest))
        while settled.train.prefixes and not self._is_green(settled.train):
            found = self._first_red(settled.train)
            out = _with_descendants(rest, settled.train.prefixes[found].candidate.branch)
            left = self._train([one for one in rest if one.branch not in out])
            if not self._is_culprit(settled.train, found, left):
                continue
            if found == 0 and (settled.ejected or not left.prefixes) and not self._is_base_green():
                return Settled(Train((), {}), [], is_base_red=True)
            settled.ejected += self._ejected(settled.train, found, [one for one in rest if one.branch in out])
            rest = [one for one in rest if one.branch not in out]
            settled.train = left
        return settled

    def _train(self, candidates: Sequence[Candidate]) -> Train:
        return assemble(self.repository, self.base_ref, self.base, candidates, self.method)

    def _is_green(self, train: Train) -> bool:
        last, *others = reversed(train.prefixes)
        if not self.journal.passes(last.commit):
            return False
        return not self.lands_singly or all(self.journal.passes(one.commit) for one in reversed(others))

    def _first_red(self, train: Train) -> int:
        """The place of the candidate with which a red train turns red."""
        known = [self.journal.known(prefix.commit) for prefix in train.prefixes]
        green, red = -1, next(place for place, one in enumerate(known) if one and not one.passed)
        while red - green > 1:
            middle = (green + red) // 2
            if self.journal.passes(train.prefixes[middle].commit):
                green = middle
            else:
                red = middle
        return red

    def _is_culprit(self, train: Train, found: int, left: Train) -> bool:
        """Whether it was no flake: red often enough with it and green without it, or red often enough by itself."""
        seen = [self.journal.known(prefix.commit) for prefix in train.prefixes[found:]]
        if sum(one.reds for one in seen if one) >= self.reds and left.prefixes and self._is_green(left):
            return True
        return not self._passes_again(train.prefixes[found].commit)

    def _is_base_green(self) -> bool:
        return self.journal.passes(self.base) or self._passes_again(self.base)

    def _passes_again(self, commit: CommitSha) -> bool:
        """Check a red commit until it passes, or was red often enough."""
        while (known := self.journal.known(commit)) and known.reds < self.reds:
            if self.journal.check(commit):
                return True
        return False

    def _ejected(self, train: Train, found: int, out: Sequence[Candidate]) -> list[Ejected]:
        culprit = train.prefixes[found]
        known = self.journal.known(culprit.commit)
        evidence = known.evidence if known else ""
        beside = tuple(prefix.candidate.branch for prefix in train.prefixes[:found])
        name = culprit.candidate.branch
        return [Ejected(one.branch, one.number, evidence, beside, "" if one.branch == name else name) for one in out]


def _with_descendants(candidates: Sequence[Candidate], branch: str) -> Set[str]:
    """A branch and every candidate that stands on it."""
    out = {branch}
    for one in candidates:
        if out & set(one.parents):
            out.add(one.branch)
    return out
