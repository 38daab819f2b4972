"""The factory's parts as one value: what every station of the line works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from switchyard_git import CommitSha, Repository, Signature
from switchyard_merge.forge.contract import Forge
from switchyard_sandbox import CodeIn, Decision, Driver, Limits, SetUp

from switchyard.agents import Agent
from switchyard.attestation import HostKey
from switchyard.config import Config
from switchyard.ledger import ArtifactStore
from switchyard.workflow.channels import Channel
from switchyard.workflow.known_heads import KnownHeads
from switchyard.workflow.known_results import KnownResults
from switchyard.workflow.outside import Gateway
from switchyard.workflow.places import Places, written
from switchyard.workflow.waiting import Waits


@dataclass(frozen=True)
class Factory:
    """The parts, picked by wiring."""

    config: Config
    places: Places
    origin: Repository
    """The maintainer's repository; its worktree is never touched."""
    quarantine: Repository
    """The factory repository: bare, holds everything that came out of a box."""
    artifacts: ArtifactStore
    driver: Driver
    agents: Mapping[str, Agent]
    """By name; "" is the default."""
    forge: Forge
    clock: Callable[[], datetime]
    publishing: Lock
    """Held from conflict prediction to the opened pull request, so that two tasks can't miss each other."""
    verifying: Lock = field(default_factory=Lock)
    """Held while reviewers are tried by canaries, so that tasks of one run don't try them all at once."""
    key: HostKey | None = None
    """What signs statements; None: nothing can."""
    gateway: Gateway | None = None
    """None: no model endpoint is configured."""
    remote: str = ""
    """Where sandboxes may fetch the base commit by themselves; empty: the host brings it."""
    others: Sequence[Driver] = ()
    """Drivers of other kinds whose sandboxes an earlier configuration left here."""
    filing: Lock = field(default_factory=Lock)
    """Held while findings are filed, so that two tasks can't miss each other's."""
    known_heads: KnownHeads = field(default_factory=KnownHeads)
    """Which branches have a pull request already."""
    known_results: KnownResults = field(default_factory=KnownResults)
    """How checks went on the trees that tasks start from."""
    channels: Sequence[Channel] = ()
    """The ways by which people outside are told of what needs them."""
    waits: Waits = field(default_factory=Waits)
    """Where the forge tells that it is waited for."""

    def now(self) -> str:
        """The clock's time as the ledger writes it."""
        return written(self.clock())

    def code(self, base: CommitSha, commit: CommitSha, paths: tuple[str, ...] = ()) -> CodeIn:
        """A commit of the factory's for a box, laid over the run's base; of its files those of `paths`, or all."""
        return CodeIn(repository=self.places.factory, commit=commit, anchor=base, paths=paths, remote=self.remote)

    def limits(self) -> Limits:
        """What one box may use, from the configuration."""
        sandbox = self.config.sandbox
        return Limits(cpus=sandbox.cpus, memory_mb=sandbox.memory_mb, pids=sandbox.pids, disk_mb=sandbox.disk_mb)

    def setup(self, on_decisions: Callable[[Sequence[Decision]], None]) -> SetUp:
        """The set-up that every box of this repository gets; whoever runs it first hears what it asked for."""
        sandbox = self.config.sandbox
        network = tuple(sandbox.setup_network)
        return SetUp(commands=tuple(sandbox.setup), network=network, on_decisions=on_decisions)


def signature(timestamp: int) -> Signature:
    """Who signs the factory's commits; the date is the run's, so that a repeated step makes the same commit."""
    return Signature(name="Switchyard", email="switchyard@localhost", timestamp=timestamp)
