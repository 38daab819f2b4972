"""What a box sees: bubblewrap's options for the file system, the namespaces and the environment of one command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_sandbox.contract import INBOX, Limits
from switchyard_sandbox.embedded.job import BLOCK_FD, INFO_FD, PROXY_PORT, SECCOMP_FD, Mount
from switchyard_sandbox.mirror import OBJECTS_IN_BOX

HOME = "/home/agent"
BOX_UID = 1000
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = "/etc/switchyard-certificates.pem"

_NAMESPACES = (
    *("--unshare-all", "--new-session", "--die-with-parent", "--cap-drop", "ALL", "--hostname", "switchyard"),
    *("--uid", str(BOX_UID), "--gid", str(BOX_UID)),
    *("--seccomp", str(SECCOMP_FD), "--json-status-fd", str(INFO_FD), "--block-fd", str(BLOCK_FD)),
)
_SHARED_MEMORY_BYTES = 256 << 20
_PROC_READ_ONLY = ("bus", "fs", "irq", "sys", "sysrq-trigger")
"""Some settings belong to the box's own namespaces, whose owner may write them; nobody in a box needs to."""
_PROC_HIDDEN = ("acpi", "asound", "kallsyms", "key-users", "keys", "latency_stats", "modules", "sched_debug", "scsi")
"""What everybody may read; more is root's alone, whom no box runs as."""


@dataclass(frozen=True)
class Sources:
    """Where the host keeps what a box only reads."""

    inbox: str
    objects: str
    etc: str
    """The state's /etc for boxes."""
    certificates: str = ""
    """The authorities that it trusts; empty: it has no network to need them for."""
    programs: tuple[tuple[str, str], ...] = ()
    """(what of the host, where in the box), outer before inner."""
    covered: tuple[str, ...] = ()
    """Folders of those that are hidden."""


def tree(sources: Sources) -> list[Mount]:
    """What every command of a box sees, its own files aside: read-only, and of the host what programs need."""
    return [
        *_system(),
        _bound(sources.etc, "/etc"),
        *([_bound(sources.certificates, CERTIFICATES)] if sources.certificates else []),
        *(Mount(kind="folder", target=place) for place in ("/proc", "/dev", "/tmp", "/run", "/var")),  # noqa: S108
        Mount(kind="link", source="/tmp", target="/var/tmp"),  # noqa: S108
        _bound(sources.objects, OBJECTS_IN_BOX),
        _bound(sources.inbox, INBOX),
        # An installation that is changed while boxes live may break its programs, but no box.
        *(_bound(source, place, kind="bind-try") for source, place in sources.programs),
        *(Mount(kind="cover", target=place) for place in sources.covered),
    ]


def environment(
    extra: Sequence[Mapping[str, str]], *, proxied: bool, certificates: bool, programs: str = ""
) -> dict[str, str]:
    """Exactly what a command finds in its environment: nothing of the host's, then what its callers give."""
    values = {"PATH": PATH, "HOME": HOME, "USER": "agent", "LOGNAME": "agent", "LANG": "C.UTF-8", "TERM": "dumb"}
    if proxied:
        proxy = f"http://127.0.0.1:{PROXY_PORT}"
        values |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
        values |= dict.fromkeys(("npm_config_proxy", "npm_config_https_proxy"), proxy)
        values |= dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1")
    if certificates:
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
        values |= dict.fromkeys((*names, "NODE_EXTRA_CA_CERTS", "npm_config_cafile"), CERTIFICATES)
    for more in extra:
        values |= more
    if programs:
        values["PATH"] = f"{programs}:{values['PATH']}"
    return values


def gateway_variables(values: Mapping[str, str], address: str) -> dict[str, str]:
    """The variables of a gateway's endpoints, for a box that reaches the gateway at that address."""
    return {name: value.replace("{gateway}", address) for name, value in values.items()}


def arguments(base: Sequence[str], env: Mapping[str, str], cwd: str, limits: Limits) -> list[str]:
    """bubblewrap's options, in the order in which it makes the mounts; `base` are those for the tree."""
    temporary = min(limits.disk_mb, max(limits.memory_mb // 2, 1)) << 20
    shared = min(_SHARED_MEMORY_BYTES, temporary)
    return [
        *_NAMESPACES,
        *base,
        *("--proc", "/proc", *_hardened_proc(), "--dev", "/dev"),
        *_tmpfs("/dev/shm", "1777", shared),  # noqa: S108
        *("--remount-ro", "/dev"),
        *_tmpfs("/tmp", "1777", temporary),  # noqa: S108
        *_tmpfs("/run", "0755", 1 << 20),
        *("--remount-ro", "/", "--chdir", cwd, "--clearenv"),
        *(part for name, value in env.items() for part in ("--setenv", name, value)),
    ]


def as_arguments(mounts: Sequence[Mount]) -> list[str]:
    """A tree as bubblewrap makes it by itself, where nothing can be mounted before."""
    parts: list[str] = []
    for item in mounts:
        match item.kind:
            case "bind":
                parts += ["--ro-bind" if item.readonly else "--bind", item.source, item.target]
            case "link":
                parts += ["--symlink", item.source, item.target]
            case "bind-try":
                parts += ["--ro-bind-try", item.source, item.target]
            case "cover":
                parts += [*_tmpfs(item.target, "0755", 4096), "--remount-ro", item.target]
            case _:
                parts += ["--dir", item.target]
    return parts


def _tmpfs(place: str, mode: str, size_bytes: int) -> tuple[str, ...]:
    return ("--perms", mode, "--size", str(size_bytes), "--tmpfs", place)


def _system() -> list[Mount]:
    """/usr and the names beside it, as they are on the host: links in a merged /usr, else directories."""
    found = [_bound("/usr", "/usr")]
    for place in (Path(name) for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")):
        if place.is_symlink():
            found.append(Mount(kind="link", source=str(place.readlink()), target=str(place)))
        elif place.is_dir():
            found.append(_bound(str(place), str(place)))
    return found


def _bound(source: str, target: str, *, kind: str = "bind") -> Mount:
    return Mount(kind=kind, source=source, target=target, readonly=True)


def _hardened_proc() -> list[str]:
    """/proc without what writes to the kernel, or tells of its memory and of its user's keys."""
    parts = [part for name in _PROC_READ_ONLY for part in ("--ro-bind-try", f"/proc/{name}", f"/proc/{name}")]
    for place in (f"/proc/{name}" for name in _PROC_HIDDEN):
        if Path(place).is_dir():
            parts += [*_tmpfs(place, "0555", 4096), "--remount-ro", place]
        elif Path(place).exists():
            # Mounted without devices, so that not even this one can be opened.
            parts += ["--ro-bind", "/dev/null", place]
    return parts
