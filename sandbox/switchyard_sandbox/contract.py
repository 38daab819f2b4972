"""What a sandbox is: the Protocol every driver meets, its values and its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NewType, Protocol

BoxId = NewType("BoxId", str)
CommandId = NewType("CommandId", str)
Stream = Literal["stdout", "stderr"]
LimitName = Literal["timeout", "stall", "memory", "disk", "pids"]
WorkspaceKind = Literal["disk", "memory", "copy"]

WORKDIR = "/workspace"
"""Where the work tree stands inside every box; a command's cwd unless it says otherwise."""
INBOX = "/switchyard"
"""Where `put` files stand inside every box: beside the work tree, so never part of the result."""

KEEP = "keep"
"""A label: the box outlives its maker, up to its ttl."""


class SandboxError(Exception):
    """Root of the package: IsolationUnavailable, LimitUnenforceable, BoxLost, SetUpFailed, BadCode."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class IsolationUnavailable(SandboxError):
    """This machine can't isolate at all; nothing was run."""


class LimitUnenforceable(SandboxError):
    """A limit can't be enforced here and `allow_degraded` is off; nothing was run."""


class BoxLost(SandboxError):
    """The box is gone: destroyed, reaped or never made."""


class BadCode(SandboxError):
    """The repository or commit that was to go in can't be used."""


class SetUpFailed(SandboxError):
    """A set-up command failed; no layer was kept."""

    def __init__(self, message: str, *, hint: str = "", command: str = "", output: str = "") -> None:
        super().__init__(message, hint=hint)
        self.command = command
        self.output = output


@dataclass(frozen=True)
class Limits:
    """What one box may use. Sizes in MiB, times in seconds."""

    cpus: float = 2.0
    memory_mb: int = 2048
    pids: int = 512
    disk_mb: int = 2048
    output_mb: int = 64
    """Output kept per stream and command; what comes after is dropped and `truncated` says so."""


@dataclass(frozen=True)
class CodeIn:
    """Which code goes in: `commit`, laid out as a delta over the prepared checkout of `anchor`."""

    repository: Path
    """A repository on the host that holds both commits. Never mounted into the box."""
    commit: str
    anchor: str
    """The commit whose checkout is prepared once and shared (usually a run's base); may equal `commit`."""
    paths: tuple[str, ...] = ()
    """Sparse: only these files of the commit are laid out; what is not is unchanged in the result. Empty: all of it."""
    remote: str = ""
    """A URL (without credentials) that the box itself may fetch the pinned commit from, where its driver works so;
    empty: code comes from `repository`."""


@dataclass(frozen=True)
class SetUp:
    """Commands that install what checks need; run once per anchor and lock files, kept as a layer."""

    commands: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    """Host names open (through the host's proxy) during set-up only."""
    timeout_s: float = 1800.0
    """For each command; a box's own commands have their time beside it."""
    on_begin: Callable[[SetUp], None] | None = field(default=None, compare=False, repr=False)
    """Told before the commands run; not where an earlier result is taken."""
    on_decisions: Callable[[Sequence[Decision]], None] | None = field(default=None, compare=False, repr=False)
    """Told after each command what it asked of its proxy; of commands whose result was kept earlier, nothing."""


@dataclass(frozen=True)
class Program:
    """A Python program of the host that commands in a box find on their PATH, on the host's own interpreter.

    What it takes to run is mounted read-only, and nothing that lies beside it on the host.
    """

    name: str
    module: str
    """Run as `python -m`."""
    packages: tuple[Path, ...]
    """Every package, module and folder of libraries that it imports, the standard library aside."""
    data: Path | None = None
    """A folder that it may read; it finds it by the variable `<NAME>_DATA`, unset where there is none."""


@dataclass(frozen=True)
class HostTool:
    """An executable of the host that commands in a box find on their PATH, together with the folder it lives in."""

    name: str
    root: Path
    """The folder, or the executable itself where it needs nothing beside it: mounted read-only."""
    entry: str = ""
    """The executable's path below `root`; empty: `root` is the executable."""

    @property
    def executable(self) -> Path:
        """Where the host has it."""
        return self.root / self.entry if self.entry else self.root


@dataclass(frozen=True)
class GatewayAccess:
    """How one box reaches the host's gateway, which adds the keys that the box never sees."""

    socket: Path
    """Where the gateway listens on the host, for its owner alone; boxes reach it through their supervisor."""
    env: Mapping[str, str] = field(repr=False)
    """Variables for the box, its token among them; `{gateway}` stands for the gateway's address in that box."""


@dataclass(frozen=True)
class BoxSpec:
    """Everything `create` needs."""

    labels: Mapping[str, str]
    """At least `run`, `task`, `attempt`, `role`; they identify the box again after a crash."""
    code: CodeIn
    limits: Limits = field(default_factory=Limits)
    setup: SetUp = field(default_factory=SetUp)
    env: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    """What it is made from, where its driver makes boxes from images; empty: the driver's own."""
    network: tuple[str, ...] = ()
    """Allowed host names while commands run; empty: no network at all."""
    gateway: GatewayAccess | None = None
    """The model endpoints open to it; None: none. Beside `network`: it opens no other way out."""
    programs: tuple[Program | HostTool, ...] = ()
    ttl_s: float = 7200.0
    """After this the box ends by itself, whoever made it."""
    workspace: WorkspaceKind = "disk"
    """Where the files that commands write lie.

    disk: on the host's disk. memory: a sized tmpfs, lost with the box's supervisor; the memory limit grows by
    `disk_mb`. copy: a full copy on disk, where overlays can't rename directories.
    """
    allow_degraded: bool = False


@dataclass(frozen=True)
class Command:
    """One command in a box."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    cwd: str = WORKDIR
    timeout_s: float | None = None
    """Total wall time; None: the box's ttl."""
    stall_s: float | None = None
    """Longest silence on both streams; None: no stall timer."""
    watch: tuple[str, ...] = ()
    """Files of the work tree, by path in it: which of them something in the box opens is told by `Finished.opened`."""
    capture: bool = True
    """Whether `Finished` carries the output; without it memory stays flat, and only the sink sees it."""


@dataclass(frozen=True)
class Chunk:
    """A piece of output as it arrives."""

    sequence: int
    """Counts from 0 over both streams; the same bytes have the same number whoever follows the command."""
    stream: Stream
    data: bytes


OutputSink = Callable[[Chunk], None]


@dataclass(frozen=True)
class Decision:
    """One request of a box to its proxy, and what became of it."""

    asked: str
    """The first line of the request."""
    decision: Literal["allowed", "refused", "unreachable"]
    reason: str
    time: float
    """Seconds since the epoch."""


@dataclass(frozen=True)
class Finished:
    """How a command ended. Exactly one of exit_code and signal is not None."""

    exit_code: int | None
    signal: int | None
    limit: LimitName | None
    """The limit that ended it, if one did."""
    stdout: bytes
    stderr: bytes
    truncated: bool
    duration_s: float
    opened: tuple[str, ...] | None = ()
    """The watched files that were opened, whatever for; None: the driver can't tell, and `unseen` says why."""
    unseen: str = ""
    decisions: tuple[Decision, ...] = ()
    """What the proxy let out of the box, and what it refused."""

    @property
    def ok(self) -> bool:
        """Whether the command ended by itself with exit code 0."""
        return self.exit_code == 0 and self.limit is None


@dataclass(frozen=True)
class Finding:
    """Something in a box's tree that was not carried out, or that a person should see."""

    path: str
    """One of more than 400 characters is told without its middle."""
    kind: str
    """escaping_symlink | special_file | nested_git | too_large | unsupported_filter | unsafe_name | …"""
    detail: str
    refused: bool
    """True: the path is not in the result. False: it is, and the finding is a note."""


@dataclass(frozen=True)
class Extraction:
    """A box's tree as a git tree in the quarantine repository."""

    tree: str
    """Tree id, written to the quarantine repository's object database; no ref, no commit yet."""
    changed: tuple[str, ...]
    """Paths that differ from the box's commit, sorted."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class BoxInfo:
    """One live or orphaned box as `list` sees it."""

    id: BoxId
    kind: str
    labels: Mapping[str, str]
    state: Literal["idle", "running", "orphan"]
    """orphan: its maker is gone, and whoever began or followed a command in it."""
    since: float
    """Seconds since the epoch."""


@dataclass(frozen=True)
class Enforcement:
    """One line of a probe: what is enforced on this machine, and if not, why not and what would help."""

    name: str
    """isolation | uid | network | overlay | seccomp | cpus | memory | pids | disk | …"""
    enforced: bool
    how: str
    hint: str = ""


@dataclass(frozen=True)
class TerminalSize:
    """A terminal's size in characters."""

    rows: int = 24
    columns: int = 80


TERMINAL_SIZE = TerminalSize()
"""What a terminal has unless it is told."""


class Terminal(Protocol):
    """A command on a terminal of its own in a box. Closing it ends the command."""

    def send(self, data: bytes) -> None:
        """Type this. What is typed after the command's end is lost."""

    def resize(self, size: TerminalSize) -> None:
        """Give the terminal another size; the command is told by SIGWINCH."""

    def receive(self, timeout_s: float) -> bytes | None:
        """What was said: b"" once the command has ended and all is read; None: nothing within that time."""

    def finish(self) -> Finished:
        """Wait for the end; stdout and stderr are empty, since they were received."""

    def close(self) -> None:
        """End the command and everything it started. A terminal that is closed already is no error."""


class Driver(Protocol):
    """A kind of sandbox. Every method may raise SandboxError; ids of unknown boxes raise BoxLost."""

    kind: str

    def probe(self) -> Sequence[Enforcement]:
        """What this machine enforces. Never raises: what can't be had is a line with `enforced=False`."""

    def create(self, spec: BoxSpec) -> BoxId:
        """Make a box with the commit's files in it. The id is journalled on disk before anything else is made."""

    def workdir(self, box: BoxId) -> str:
        """The work tree's absolute path as a command in the box sees it."""

    def put(self, box: BoxId, name: str, data: bytes, *, mode: int = 0o644) -> str:
        """Write a file beside the work tree; returns its absolute path inside the box."""

    def execute(self, box: BoxId, command: Command, sink: OutputSink | None = None) -> Finished:
        """Run one command to its end. Nothing it started is left running when this returns, or is interrupted.

        Commands of one box may run at once.
        """

    def start(self, box: BoxId, command: Command) -> CommandId:
        """Start a command and return: it goes on without whoever started it; `attach` follows it.

        A box that is not labelled KEEP belongs to its maker, and to every process that begins or follows a command in
        it. Half a minute after the last of them is gone its commands end, and the box with them.
        """

    def attach(
        self,
        box: BoxId,
        command: CommandId,
        sink: OutputSink | None = None,
        *,
        after: int = 0,
        capture: bool = True,
    ) -> Finished:
        """Follow a command to its end, from any process, also after it has ended, until the box is destroyed.

        The first `after` chunks are not delivered to the sink again; `Finished` holds the whole output all the same.
        An interruption leaves the command running.

        Raises:
            BoxLost: There is no such box or command.
        """

    def commands(self, box: BoxId) -> Sequence[CommandId]:
        """The commands begun by `start`, oldest first: how a successor finds what a dead orchestrator left."""

    def open_terminal(self, box: BoxId, command: Command, size: TerminalSize = TERMINAL_SIZE) -> Terminal:
        """Start a command on a terminal of its own; its `stdin` is not used."""

    def extract(self, box: BoxId, quarantine: Path) -> Extraction:
        """Write the box's tree into the bare repository `quarantine`. No git runs in what the box wrote.

        It waits for the box's running commands, and commands wait for it.
        """

    def destroy(self, box: BoxId) -> None:
        """Kill everything in the box and remove it. A box that is already gone is no error."""

    def list(self, labels: Mapping[str, str] | None = None) -> Sequence[BoxInfo]:
        """Boxes whose labels include these; all without."""

    def reap(self, *, keep: frozenset[BoxId] = frozenset()) -> Sequence[BoxId]:
        """Destroy orphans and boxes past their ttl; returns what was removed."""
