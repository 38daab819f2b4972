"""How a reviewer stands with its canaries, by the ledger: what it got right and when, what it failed, what is due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, zip_longest

from switchyard.gates.canaries.corpus import Canary
from switchyard.ledger import Event
from switchyard.packets import Judge
from switchyard.quoting import code

_ROWS = ("canary_passed", "canary_failed")


@dataclass(frozen=True)
class Trial:
    """The last result of one canary with one judge."""

    canary: str
    passed: bool
    """Whether the judge got it right."""
    reason: str
    """What it got wrong, in a sentence's end; empty where it got it right."""
    at: datetime


@dataclass(frozen=True)
class Standing:
    """All last results of one judge."""

    trials: Mapping[str, Trial] = field(default_factory=dict)
    in_run: int = 0
    """Canaries that the run which is asked about has put before it."""

    @property
    def failed(self) -> list[Trial]:
        """What it got wrong and has not got right since."""
        return [trial for trial in self.trials.values() if not trial.passed]

    def fresh(self, now: datetime, days: float) -> list[Trial]:
        """What it got right lately."""
        since = now - timedelta(days=days)
        return [trial for trial in self.trials.values() if trial.passed and trial.at >= since]

    def why_absent(self, now: datetime, days: float, *, asks_fresh: bool = True) -> str:
        """Why it does not count; empty: it does.

        Args:
            asks_fresh: Whether it needs to have got one right lately.
        """
        if self.failed:
            more = f", and {len(self.failed) - 1} more like it" if len(self.failed) > 1 else ""
            return f"{self.failed[0].reason}{more}"
        if asks_fresh and not self.fresh(now, days):
            return f"it has passed no canary in the last {days:g} days"
        return ""


def standing_of(events: Iterable[Event], judge: Judge, *, run_id: str = "") -> Standing:
    """Fold the ledger's rows. Results of another model, command or prompt are another judge's.

    Args:
        run_id: The run whose canaries are counted; empty: none are.
    """
    trials: dict[str, Trial] = {}
    in_run = 0
    for event in events:
        if event.event_type in _ROWS and event.data.get("identity") == judge.identity:
            name = str(event.data.get("canary", ""))
            passed, reason = event.event_type == "canary_passed", str(event.data.get("told", ""))
            trials[name] = Trial(name, passed, reason, datetime.fromisoformat(event.timestamp))
            in_run += bool(run_id) and event.run_id == run_id
    return Standing(trials, in_run)


def due_canaries(
    canaries: Sequence[Canary], judge: Judge, standing: Standing, now: datetime, days: float
) -> list[Canary]:
    """Those that the judge has to be tried by, the most telling first.

    What it failed comes first, since it does not count until that is put right; then what it never saw or saw longest
    ago, faulty and sound in turns: a judge that passes all, or fails all, shows at once.
    """
    fresh = {trial.canary for trial in standing.fresh(now, days)}
    mine = [one for one in canaries if judge.reviewer in one.reviewers and one.name not in fresh]
    again = {trial.canary for trial in standing.failed}

    def age(one: Canary) -> tuple[bool, datetime, str]:
        trial = standing.trials.get(one.name)
        return trial is not None, trial.at if trial else now, one.name

    rest = sorted((one for one in mine if one.name not in again), key=age)
    faulty, sound = [one for one in rest if not one.is_sound], [one for one in rest if one.is_sound]
    turns = chain.from_iterable(zip_longest(faulty, sound))
    return [*(one for one in mine if one.name in again), *(one for one in turns if one is not None)]


def tell_failure(canary: Canary, verdict: str, reason: str) -> str:
    """What a judge got wrong, as the end of a sentence; empty where it got it right."""
    name = code(canary.name)
    if verdict == "none":
        return f"it gave no verdict on canary {name}: {code(reason)}"
    if canary.is_sound:
        return "" if verdict == "pass" else f"it did not pass canary {name}, which is sound ({verdict})"
    return f"it passed canary {name}, which has a known fault" if verdict == "pass" else ""
