"""One agent at work in a sandbox: its turns under their timers, its stream read, and what it told summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from switchyard_sandbox import BoxId, Command, Decision, Driver, Finished

from switchyard.agents.contract import Agent, Assignment, Launch
from switchyard.agents.events import AgentEvent, Ending, Outcome, one_line, shortened, total_usage
from switchyard.packets import AgentReport

MOST_EVENTS = 200_000
"""More lines of a stream than these are not read: an agent that says so much is ended by its timer."""

MOST_FINAL_CHARS = 4000


@dataclass(frozen=True)
class Timers:
    """How long an agent may take, in seconds."""

    total_s: float
    """All turns together."""
    stall_s: float
    """Without output and without processor use."""
    turn_s: float | None = None
    """One turn; None: as long as all."""


@dataclass(frozen=True)
class Turn:
    """One prompt and what came of it."""

    finished: Finished
    outcome: Outcome
    events: tuple[AgentEvent, ...] = field(repr=False)


class AgentRunner:
    """Starts an agent's turns in one box. A timer that runs out kills everything that the turn started."""

    def __init__(self, driver: Driver, box: BoxId, agent: Agent, timers: Timers, watch: Sequence[str] = ()) -> None:
        """`watch`: files of the work tree whose opening is to be told."""
        self._driver, self._box, self._agent = driver, box, agent
        self._timers, self._watch = timers, tuple(watch)
        self.turns: list[Turn] = []

    @property
    def left_s(self) -> float:
        """What remains of the total time, by the turns' own lengths."""
        return self._timers.total_s - sum(turn.finished.duration_s for turn in self.turns)

    def begin(self, assignment: Assignment) -> Turn:
        """The first turn."""
        return self._run(self._agent.prepare(assignment))

    def go_on(self, assignment: Assignment, prompt: str) -> Turn | None:
        """Another turn of the same session; None: the agent has none, or no time is left."""
        session = self.turns[-1].outcome.session_id if self.turns else ""
        if not (self._agent.capabilities.resumes and session and self.left_s > 0):
            return None
        return self._run(self._agent.resume(assignment, session, prompt))

    def whole(self) -> Finished:
        """All turns as one: their output one after the other, and the last one's end."""
        last = self.turns[-1].finished
        decisions: list[Decision] = [each for turn in self.turns for each in turn.finished.decisions]
        return replace(
            last,
            stdout=b"".join(turn.finished.stdout for turn in self.turns),
            stderr=b"".join(turn.finished.stderr for turn in self.turns),
            truncated=any(turn.finished.truncated for turn in self.turns),
            duration_s=sum(turn.finished.duration_s for turn in self.turns),
            opened=_union([turn.finished.opened for turn in self.turns]),
            decisions=tuple(decisions),
        )

    def report(self) -> AgentReport | None:
        """What the agent told, all turns together; None: its kind tells nothing."""
        if not self._agent.capabilities.tells_events:
            return None
        last = self.turns[-1].outcome
        usage = total_usage(event for turn in self.turns for event in turn.events)
        return AgentReport(
            ok=last.ok,
            reason=last.reason,
            session_id=one_line(last.session_id, most=100),
            turns=len(self.turns),
            events=dict(Counter(event.kind for turn in self.turns for event in turn.events)),
            input_tokens=usage.input_tokens if usage else None,
            cached_tokens=usage.cached_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            final_text=last.final_text[-MOST_FINAL_CHARS:],
        )

    def _run(self, launch: Launch) -> Turn:
        for name, text in launch.files.items():
            self._driver.put(self._box, name, text.encode())
        command = Command(
            argv=launch.argv,
            env=launch.env,
            stdin=launch.stdin.encode(),
            timeout_s=min(self.left_s, self._timers.turn_s or self.left_s),
            stall_s=self._timers.stall_s,
            watch=self._watch,
        )
        finished = self._driver.execute(self._box, command)
        events = read_events(finished.stdout, self._agent.parse)
        ending = Ending(
            finished.exit_code,
            finished.signal,
            finished.limit,
            finished.stderr.decode("utf-8", "replace"),
            finished.truncated,
        )
        turn = Turn(finished, self._agent.finish(ending, events), tuple(map(shortened, events)))
        self.turns.append(turn)
        return turn


def read_events(stream: bytes, parse: Callable[[str], list[AgentEvent]]) -> list[AgentEvent]:
    """The events of a stream of lines."""
    found: list[AgentEvent] = []
    for line in stream.splitlines()[:MOST_EVENTS]:
        found += parse(line.decode("utf-8", "replace"))
    return found


def _union(opened: Sequence[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """What any turn opened; None once one could not tell."""
    known = [names for names in opened if names is not None]
    return tuple(sorted({name for names in known for name in names})) if len(known) == len(opened) else None
