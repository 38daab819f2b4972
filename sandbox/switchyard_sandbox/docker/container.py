"""One box as a container: what it sees, what it may use, and how its first process ends it."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from switchyard_sandbox import programs
from switchyard_sandbox.contract import INBOX, WORKDIR, BoxLost, BoxSpec, Limits
from switchyard_sandbox.docker.client import Client, told
from switchyard_sandbox.docker.images import Image
from switchyard_sandbox.docker.seccomp import profile
from switchyard_sandbox.docker.task import HOME, KEEPER
from switchyard_sandbox.embedded.bounds import disk_usage
from switchyard_sandbox.embedded.confinement import CERTIFICATES
from switchyard_sandbox.embedded.job import Mount as Placed
from switchyard_sandbox.embedded.workspace import Shared, Workspace
from switchyard_sandbox.mirror import OBJECTS_IN_BOX
from switchyard_sandbox.programs import PLACE

if TYPE_CHECKING:
    from docker.types import Mount

CHECKOUT = "/var/lib/switchyard/checkout"
"""Where a box whose files lie in memory finds the prepared checkout, read-only, to copy it."""
BEFORE = "/var/lib/switchyard/before"
"""Where a box with an overlay finds its work tree as it was, read-only: so the engine mounts that too."""
BOX, STATE = "switchyard.box", "switchyard.state"
"""Labels of every container: its box, and the state folder whose journal knows it."""
_RECORD = "container.json"
_ADDED = ("HOSTNAME", "HOME", "PWD", "OLDPWD", "SHLVL", "_")
_GRACE_S = 60
_BLOCK = 4096
_FILES_AT_LEAST = 200_000
_SMALL = 1 << 20
_SHARED_MEMORY = 64 << 20
_MASKED = (
    *("/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/kmsg"),
    *("/proc/kpagecgroup", "/proc/kpagecount", "/proc/kpageflags", "/proc/latency_stats", "/proc/modules"),
    *("/proc/sched_debug", "/proc/scsi", "/proc/slabinfo", "/proc/timer_list", "/proc/timer_stats"),
    *("/proc/vmallocinfo", "/sys/devices/virtual/powercap", "/sys/firmware"),
)
"""What tells of the machine: the engine's own list and more. Its list of what can only be read holds beside this."""

Way = Literal["memory", "copy", "overlay"]
"""How work tree and home come to be: copied into memory, copied on disk, or laid over what boxes share."""


@dataclass(frozen=True)
class Container:
    """A container that was made, as the box's folder remembers it."""

    id: str
    init_pid: int
    """Its first process as this machine sees it."""
    engine: str
    uid: int
    without: list[str]
    """Variables that the image or the engine sets, and no command shall see."""
    way: Way
    checkout: str
    """What its work tree stands on or was copied from; empty: neither."""
    layer: str
    """What set-up installed on this machine; empty: nothing."""
    tree: str
    """The work tree as this machine sees it; empty: only an archive brings it out."""
    before: str
    """The same as commands found it; empty: it was copied."""

    @property
    def in_memory(self) -> bool:
        """Whether work tree and home lie there; else they are folders of the box's own folder."""
        return self.way == "memory"

    @property
    def pristine(self) -> list[Path]:
        """The folders that its work tree was copied from, topmost first."""
        return [Path(place) for place in (self.layer and f"{self.layer}/work", self.checkout) if place]

    def workspace(self, folder: Path) -> Workspace:
        """Where the files lie, unless in memory, below the box's folder."""
        layer = Path(self.layer) if self.layer else None
        return workspace_at(folder, Path(self.checkout), layer, self.way)

    def keep(self, folder: Path) -> None:
        """Write it down."""
        (folder / _RECORD).write_text(json.dumps(asdict(self)))

    @classmethod
    def of(cls, folder: Path) -> Container:
        """What `keep` wrote.

        Raises:
            FileNotFoundError: The container was never made.
        """
        return cls(**json.loads((folder / _RECORD).read_text()))


@dataclass(frozen=True)
class Sources:
    """What of this machine a container borrows."""

    folder: Path
    """The box's own."""
    state: str
    """What names the state folder in the engine's labels."""
    objects: Path | None
    """The mirror's objects; None: the code comes from elsewhere."""
    checkout: Path | None
    layer: Path | None
    """What set-up installed, which the image holds too."""
    uid: int
    way: Way

    @property
    def workspace(self) -> Workspace:
        """Where the files lie, unless in memory."""
        return workspace_at(self.folder, self.checkout or Path(), self.layer, self.way)


def workspace_at(folder: Path, checkout: Path, layer: Path | None, way: Way) -> Workspace:
    """Where a box's files lie; those of an engine that runs as root are overlays of root's."""
    return Workspace(folder, Shared(checkout, layer), "root" if way == "overlay" else None)


def make(client: Client, image: Image, spec: BoxSpec, box: str, sources: Sources) -> Container:
    """Make a container and start its first process, which ends it when its time is over.

    Raises:
        BoxLost: Somebody removed it meanwhile.
        SandboxError: The engine refused.
    """
    with told():
        made = client.sdk.api.create_container(
            image.id,
            # A shell in front: it buries orphans, which a bare sleep would leave in the list of processes.
            entrypoint=["/bin/sh", "-c", 'sleep "$1"; :'],
            command=["switchyard", str(math.ceil(spec.ttl_s) + _GRACE_S)],
            user=f"{KEEPER}:{KEEPER}",
            hostname="switchyard",
            name=f"switchyard-{box}",
            labels={
                **{f"switchyard.label.{name}": value for name, value in spec.labels.items()},
                BOX: box,
                STATE: sources.state,
            },
            working_dir="/",
            healthcheck={"test": ["NONE"]},
            host_config=_host_config(client, image, spec, sources),
        )
        about = _start(client, made["Id"])
    places = {mount["Destination"]: str(mount["Source"]) for mount in about["Mounts"]}
    tree = "" if sources.way == "memory" else places[WORKDIR]
    # An engine with mounts of its own, which this machine does not see, leaves an empty folder there.
    is_seen = sources.way == "copy" or os.path.ismount(tree)
    container = Container(
        id=made["Id"],
        init_pid=int(about["State"]["Pid"]),
        engine=client.socket,
        uid=sources.uid,
        without=sorted({*image.variables, *_ADDED}),
        way=sources.way,
        checkout=str(sources.checkout or ""),
        layer=str(sources.layer or ""),
        tree=tree if is_seen else "",
        before=places.get(BEFORE, ""),
    )
    container.keep(sources.folder)
    return container


def _start(client: Client, container: str) -> dict[str, Any]:
    """Start a container that was made; what the engine tells of it."""
    from docker.errors import APIError, NotFound

    try:
        client.sdk.api.start(container)
        return dict(client.sdk.api.inspect_container(container))
    except APIError as err:
        try:
            client.sdk.api.inspect_container(container)
        except NotFound:
            raise BoxLost(
                f"the container {container[:12]} was removed while it was made", hint="create another"
            ) from err
        raise


def _host_config(client: Client, image: Image, spec: BoxSpec, sources: Sources) -> dict[str, Any]:
    from docker.types import LogConfig

    config = client.sdk.api.create_host_config(
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges", f"seccomp={profile()}"],
        ipc_mode="private",
        log_config=LogConfig(type="none"),
        mounts=_mounts(sources, certificates=bool(spec.network or spec.code.remote)),
        **_limits(spec.limits, image, sources),
    )
    # The SDK knows no option for these; given, they stand in the place of the engine's own list.
    return {**config, "MaskedPaths": list(_MASKED)}


def write_users(etc: Path, uid: int) -> None:
    """Write who there is in the box, by the number that its commands run as."""
    etc.mkdir(exist_ok=True)
    etc.chmod(0o755)
    files = {
        "passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:{uid}:{uid}:agent:{HOME}:/bin/sh\n"
        f"nobody:x:{KEEPER}:{KEEPER}:nobody:/nonexistent:/usr/sbin/nologin\n",
        "group": f"root:x:0:\nagent:x:{uid}:\nnogroup:x:{KEEPER}:\n",
    }
    for name, text in files.items():
        (etc / name).write_text(text)
        (etc / name).chmod(0o644)


def state_name(state: Path) -> str:
    """What names a state folder in the engine's labels."""
    return hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:24]


def _limits(limits: Limits, image: Image, sources: Sources) -> dict[str, Any]:
    """The engine's options for what a box may use. Its files lie in memory, so they count there too."""
    disk, memory = limits.disk_mb << 20, limits.memory_mb << 20
    work = sum(_size(place) for place in (sources.checkout, sources.layer and sources.layer / "work") if place)
    own = _in_memory(disk, work, sources) if sources.way == "memory" else {}
    total = memory + (disk + work if own else 0)
    # Together half of the memory, for their files stay from one command to the next, which must find room to start.
    temporary, small = (min(disk, max(memory // part, _SMALL)) for part in (4, 8))
    return {
        "mem_limit": total,
        "memswap_limit": total,
        "nano_cpus": int(limits.cpus * 1e9),
        "pids_limit": limits.pids,
        "shm_size": min(_SHARED_MEMORY, small),
        "ulimits": [_ulimit("core", 0), _ulimit("fsize", disk + work)],
        "tmpfs": {
            **{place: _tmpfs(_SMALL, "mode=0755") for place in image.volumes},
            **{place: _tmpfs(_SMALL, "mode=0755,ro") for place in _covered(sources.folder)},
            **own,
            "/tmp": _tmpfs(temporary, "mode=1777"),  # noqa: S108
            "/var/tmp": _tmpfs(small, "mode=1777"),  # noqa: S108
            "/run": _tmpfs(_SMALL, "mode=0755"),
        },
    }


def _in_memory(disk: int, work: int, sources: Sources) -> dict[str, str]:
    """Work tree and home as file systems in memory, of that size beside what is copied into them."""
    home = _size(sources.layer / "home") if sources.layer else 0
    own = f"uid={sources.uid},gid={sources.uid},mode=0755"
    return {WORKDIR: _tmpfs(disk + work, own), HOME: _tmpfs(disk + home, own)}


def _tmpfs(size: int, options: str) -> str:
    files = size // _BLOCK + (_FILES_AT_LEAST if size > _SMALL else 1000)
    return f"exec,nosuid,nodev,size={max(size, _BLOCK)},nr_inodes={files},{options}"


def _mounts(sources: Sources, *, certificates: bool) -> list[Mount]:
    folder = sources.folder
    pairs: list[tuple[Path, str]] = [
        (folder / "inbox", INBOX),
        (folder / "etc" / "passwd", "/etc/passwd"),
        (folder / "etc" / "group", "/etc/group"),
    ]
    if sources.objects is not None:
        pairs.append((sources.objects, OBJECTS_IN_BOX))
    if sources.checkout is not None and sources.way == "memory":
        pairs.append((sources.checkout, CHECKOUT))
    if certificates:
        pairs.append((folder / "etc" / Path(CERTIFICATES).name, CERTIFICATES))
    return [*_own(sources), *(_bind(source, target) for source, target in (*pairs, *_program_mounts(folder)))]


def _own(sources: Sources) -> list[Mount]:
    """Work tree and home on disk; an overlay is a volume without a name, which the engine mounts and unmounts."""
    if sources.way == "memory":
        return []
    before = [sources.workspace.before(BEFORE)] if sources.way == "overlay" else []
    return [_placed(place, sources.state) for place in (*sources.workspace.mounts(WORKDIR, HOME, None, 0), *before)]


def _placed(place: Placed, state: str) -> Mount:
    from docker.types import DriverConfig, Mount

    if place.kind == "bind":
        return _bind(Path(place.source), place.target, place.readonly)
    how = DriverConfig("local", {"type": "overlay", "device": "overlay", "o": place.options})
    return Mount(place.target, None, type="volume", no_copy=True, labels={STATE: state}, driver_config=how)


def _bind(source: Path, target: str, read_only: bool = True) -> Mount:
    from docker.types import Mount

    return Mount(target, str(source), type="bind", read_only=read_only)


def _ulimit(name: str, value: int) -> object:
    from docker.types import Ulimit

    return Ulimit(name=name, soft=value, hard=value)


def _program_mounts(folder: Path) -> list[tuple[Path, str]]:
    """What the host's programs take to run, outer before inner."""
    installed = programs.installation(folder)
    if installed is None:
        return []
    inner = [(Path(source), f"{PLACE}/{place}") for source, place in installed.inner]
    outer = [(Path(place), place) for place in installed.outer]
    # The image's home of root is closed to others; an open one with nothing but these files stands in for it.
    hidden = [place.relative_to("/root") for place, _ in outer if place.is_relative_to("/root")]
    stand_in = folder / "root"
    for place in hidden:
        (stand_in / place).parent.mkdir(parents=True, exist_ok=True)
        (stand_in / place).touch()
    for inside in (stand_in, *stand_in.rglob("*")) if hidden else ():
        inside.chmod(0o755)
    below = [(stand_in, "/root")] if hidden else []
    return [(installed.folder, PLACE), *inner, *below, *outer]


def _covered(folder: Path) -> list[str]:
    """Folders of those that are hidden: other packages of the host."""
    installed = programs.installation(folder)
    return [f"{PLACE}/{place}" for place in installed.covered] if installed else []


@functools.lru_cache(maxsize=256)
def _size(place: Path) -> int:
    """What a copy of a folder that never changes takes."""
    return disk_usage(str(place))
