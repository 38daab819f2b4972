"""What the driver asks of a box's supervisor, as JSON; without heavy imports, for many small processes read it."""

from __future__ import annotations

import json

SECCOMP_FD, INFO_FD, BLOCK_FD, ARGUMENTS_FD = 10, 11, 12, 13
"""Where bubblewrap finds what the supervisor hands it."""

PROXY_PORT, GATEWAY_PORT = 3128, 3129
"""Where a box with a network finds the proxy, and one with model endpoints the gateway, at its own loopback."""

ENTRY, PLAN, SOCKET, LOG = "box.json", "plan.json", "shim.sock", "shim.log"
"""Files of a box's folder: its journal entry, what its supervisor makes, where that listens, and what it died of.

The entry is locked too, shared by the box's running commands, and alone by whoever reads its tree.
"""

PROCESS, OUTPUT, EXIT, AUDIT = "process.json", "output", "exit.json", "audit.jsonl"
"""The files of one command's folder: who runs it, what it said, how it ended, what its proxy decided."""

BEGUN = b"begun"
"""What a supervisor answers once a command has its process file."""


class Mount:
    """One thing below a stage: a mount, or what a mount stands on.

    Kinds: bind (`source` and what is mounted in it), bind-try (nothing where there is no such source), overlay and
    tmpfs (`options`), cover (an empty tmpfs over a folder, if that is there), folder, link (`source` is where it
    leads).
    """

    def __init__(
        self, *, kind: str, target: str, source: str = "", options: str = "", readonly: bool = False, owner: int = -1
    ) -> None:
        self.kind = kind
        self.target = target
        self.source = source
        self.options = options
        self.readonly = readonly
        self.owner = owner
        """Who owns a folder; -1: whoever makes it."""


class Group:
    """One cgroup directory with what is to be written in it, and the counter that tells of a limit."""

    def __init__(
        self, *, path: str, values: dict[str, str], limit: str = "", events: str = "", counter: str = ""
    ) -> None:
        self.path = path
        self.values = values
        self.limit = limit
        self.events = events
        self.counter = counter


class Plan:
    """What the supervisor of one box holds for all its commands. Paths are the host's."""

    def __init__(
        self,
        *,
        place: str,
        ends: float,
        uid: int | None,
        stage: str,
        mounts: list[Mount],
        groups: list[Group],
        once: bool,
        shared: tuple[str, str],
        overlay: str | None,
        objects: str,
    ) -> None:
        self.place = place
        """The box's folder; once it is not there any more, the box is destroyed."""
        self.ends = ends
        """When the box ends by itself, in seconds since the epoch."""
        self.uid = uid
        """The uid and gid to drop to; None: the caller is no root."""
        self.stage = stage
        """Where the mounts are made; empty: nothing is mounted. Without root that takes a user namespace too."""
        self.mounts = mounts
        self.groups = groups
        self.once = once
        """The box's files are lost with its first supervisor, so there must be no second."""
        self.shared = shared
        """The checkout and the layer of set-up (empty: none) that the box lies on."""
        self.overlay = overlay
        """How they are mounted; None: they were copied."""
        self.objects = objects
        """The mirror's objects, which the box's git borrows."""

    def dump(self) -> str:
        """As JSON."""
        plain = dict(vars(self))
        plain["mounts"] = [vars(mount) for mount in self.mounts]
        plain["groups"] = [vars(group) for group in self.groups]
        return json.dumps(plain)

    @classmethod
    def load(cls, text: str) -> Plan:
        """From JSON."""
        plain = json.loads(text)
        plain["mounts"] = [Mount(**mount) for mount in plain["mounts"]]
        plain["groups"] = [Group(**group) for group in plain["groups"]]
        return cls(**plain)


NO_BOX = Plan(
    place="", ends=0.0, uid=None, stage="", mounts=[], groups=[], once=False, shared=("", ""), overlay=None, objects=""
)
"""For a command that belongs to none."""


class Job:
    """Everything a supervisor needs for one command. Sizes in bytes, times in seconds."""

    def __init__(
        self,
        *,
        folder: str,
        bwrap: str,
        arguments: list[str],
        command: list[str],
        env: dict[str, str],
        cwd: str,
        rlimits: dict[str, int],
        cpus: list[int],
        pids: int,
        memory_bytes: int,
        watched: list[str],
        disk_bytes: int,
        output_bytes: int,
        timeout_s: float,
        stall_s: float | None,
        network: list[str],
        internal: list[str],
        gateway: str,
        tree: str,
        watch: list[str],
        terminal: tuple[int, int] | None,
    ) -> None:
        self.folder = folder
        """The command's own folder, below the box's."""
        self.bwrap = bwrap
        """Empty: no isolation."""
        self.arguments = arguments
        """bubblewrap's options, passed through a descriptor: an environment never shows in a list of processes."""
        self.command = command
        self.env = env
        self.cwd = cwd
        """Both for a command without isolation; bubblewrap gets them among its options."""
        self.rlimits = rlimits
        self.cpus = cpus
        """Processors to stay on; empty: all."""
        self.pids = pids
        """RLIMIT_NPROC inside the box's user namespace; 0: a cgroup holds it."""
        self.memory_bytes = memory_bytes
        """Resident memory to watch for; 0: a cgroup holds it."""
        self.watched = watched
        """Directories that together may take `disk_bytes`."""
        self.disk_bytes = disk_bytes
        self.output_bytes = output_bytes
        self.timeout_s = timeout_s
        self.stall_s = stall_s
        self.network = network
        """Host names that the proxy lets through; empty: no network at all."""
        self.internal = internal
        """Those of them that may resolve to a private address."""
        self.gateway = gateway
        """The socket of the host's gateway; empty: no gateway."""
        self.tree = tree
        """The work tree as the supervisor sees it."""
        self.watch = watch
        """Files of it whose opening is noted."""
        self.terminal = terminal
        """Rows and columns of the terminal that the command gets; None: pipes."""

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(vars(self))

    @classmethod
    def load(cls, text: str) -> Job:
        """From JSON."""
        return cls(**json.loads(text))
