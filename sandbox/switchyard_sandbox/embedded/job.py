"""What the driver asks a shim to do, as one JSON file; without heavy imports: every command's start pays for them."""

from __future__ import annotations

import json

SECCOMP_FD, INFO_FD, BLOCK_FD, ARGUMENTS_FD = 10, 11, 12, 13
"""Where bubblewrap finds what the shim hands it."""

PROXY_PORT, GATEWAY_PORT = 3128, 3129
"""Where a box with a network finds the proxy, and one with model endpoints the gateway, at its own loopback."""

JOB, PROCESS, OUTPUT, EXIT, STDIN = "job.json", "process.json", "output", "exit.json", "stdin"
"""The files of one command's folder: asked, who runs it, what it said, how it ended."""

AUDIT = "audit.jsonl"
"""There too: what the proxy decided."""


class Mount:
    """One mount of the shim's own namespace, made before bubblewrap starts."""

    def __init__(self, *, target: str, source: str = "", overlay: str = "") -> None:
        self.target = target
        self.source = source
        """Bound here when this is no overlay."""
        self.overlay = overlay
        """Overlay options; empty for a bind."""


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


class Job:
    """Everything a shim needs for one command. Paths are the host's; sizes in bytes, times in seconds."""

    def __init__(
        self,
        *,
        bwrap: str,
        arguments: list[str],
        command: list[str],
        env: dict[str, str],
        cwd: str,
        uid: int | None,
        own_namespace: bool,
        stage: str,
        mounts: list[Mount],
        groups: list[Group],
        rlimits: dict[str, int],
        cpus: list[int],
        pids: int,
        memory_bytes: int,
        watched: list[str],
        disk_bytes: int,
        output_bytes: int,
        timeout_s: float,
        timeout_limit: str,
        stall_s: float | None,
        network: list[str],
        internal: list[str],
        gateway: str,
        audit: str,
        lock: str,
        tree: str,
        watch: list[str],
    ) -> None:
        self.bwrap = bwrap
        """Empty: no isolation."""
        self.arguments = arguments
        """bubblewrap's options, passed through a descriptor: an environment never shows in a list of processes."""
        self.command = command
        self.env = env
        self.cwd = cwd
        """Both for a command without isolation; bubblewrap gets them among its options."""
        self.uid = uid
        """The uid and gid to drop to; None: the caller is no root."""
        self.own_namespace = own_namespace
        """Whether mounts of our own are needed; without root that takes a user namespace too."""
        self.stage = stage
        self.mounts = mounts
        self.groups = groups
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
        self.timeout_limit = timeout_limit
        self.stall_s = stall_s
        self.network = network
        """Host names that the proxy lets through; empty: no network at all."""
        self.internal = internal
        """Those of them that may resolve to a private address."""
        self.gateway = gateway
        """The socket of the host's gateway; empty: no gateway."""
        self.audit = audit
        """Where the proxy writes one line for each decision."""
        self.lock = lock
        """Held while the command runs: commands of one box never overlap, and a held lock means that it lives."""
        self.tree = tree
        """The work tree as the shim sees it."""
        self.watch = watch
        """Files of it whose opening is noted."""

    def dump(self) -> str:
        """As JSON."""
        plain = dict(vars(self))
        plain["mounts"] = [vars(mount) for mount in self.mounts]
        plain["groups"] = [vars(group) for group in self.groups]
        return json.dumps(plain)

    @classmethod
    def load(cls, text: str) -> Job:
        """From JSON."""
        plain = json.loads(text)
        plain["mounts"] = [Mount(**mount) for mount in plain["mounts"]]
        plain["groups"] = [Group(**group) for group in plain["groups"]]
        return cls(**plain)
