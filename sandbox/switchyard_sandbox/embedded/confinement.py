"""What a box sees: bubblewrap's options for the file system, the namespaces and the environment of one command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard_sandbox.contract import INBOX, WORKDIR, Limits
from switchyard_sandbox.embedded.job import BLOCK_FD, INFO_FD, PROXY_PORT, SECCOMP_FD
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
_ETC = (
    *("alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "debian_version", "fonts"),
    *(
        "java-11-openjdk",
        "java-17-openjdk",
        "java-21-openjdk",
        "ld.so.cache",
        "ld.so.conf",
        "ld.so.conf.d",
        "localtime",
    ),
    *(
        "magic",
        "mime.types",
        "os-release",
        "perl",
        "pki",
        "protocols",
        "python3",
        "python3.11",
        "python3.12",
        "python3.13",
    ),
    *("services", "ssl", "terminfo", "timezone"),
)
_FILES = {
    "passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:{BOX_UID}:{BOX_UID}:agent:{HOME}:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": f"root:x:0:\nagent:x:{BOX_UID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost switchyard\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_SHARED_MEMORY_BYTES = 256 << 20
_PROC_READ_ONLY = ("bus", "fs", "irq", "sys", "sysrq-trigger")
"""Some settings belong to the box's own namespaces, whose owner may write them; nobody in a box needs to."""
_PROC_HIDDEN = ("acpi", "asound", "kallsyms", "key-users", "keys", "latency_stats", "modules", "sched_debug", "scsi")
"""What everybody may read; more is root's alone, whom no box runs as."""


@dataclass(frozen=True)
class Sources:
    """Where the host keeps what a box has of its own."""

    work: str
    home: str
    inbox: str
    etc: str
    objects: str
    programs: tuple[tuple[str, str], ...] = ()
    """(what of the host, where in the box), outer before inner."""
    covered: tuple[str, ...] = ()
    """Folders of those that are hidden."""


def write_etc(folder: Path) -> None:
    """Write the files of /etc that are the box's own rather than the host's."""
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    for name, text in _FILES.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)


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


def arguments(sources: Sources, env: Mapping[str, str], cwd: str, limits: Limits) -> list[str]:
    """bubblewrap's options, in the order in which it makes the mounts."""
    temporary = min(limits.disk_mb, max(limits.memory_mb // 2, 1)) << 20
    shared = min(_SHARED_MEMORY_BYTES, temporary)
    return [
        *_NAMESPACES,
        *_system(),
        *_etc(sources.etc, certificates=CERTIFICATES in env.values()),
        *("--proc", "/proc", *_hardened_proc(), "--dev", "/dev"),
        *_tmpfs("/dev/shm", "1777", shared),  # noqa: S108
        *("--remount-ro", "/dev"),
        *_tmpfs("/tmp", "1777", temporary),  # noqa: S108
        *_tmpfs("/run", "0755", 1 << 20),
        *("--dir", "/var", "--symlink", "/tmp", "/var/tmp"),  # noqa: S108
        *("--ro-bind", sources.objects, OBJECTS_IN_BOX),
        *("--bind", sources.work, WORKDIR),
        *("--bind", sources.home, HOME),
        *("--ro-bind", sources.inbox, INBOX),
        *(part for source, place in sources.programs for part in ("--ro-bind", source, place)),
        *(part for place in sources.covered for part in (*_tmpfs(place, "0755", 4096), "--remount-ro", place)),
        *("--remount-ro", "/", "--chdir", cwd, "--clearenv"),
        *(part for name, value in env.items() for part in ("--setenv", name, value)),
    ]


def _tmpfs(place: str, mode: str, size_bytes: int) -> tuple[str, ...]:
    return ("--perms", mode, "--size", str(size_bytes), "--tmpfs", place)


def _system() -> list[str]:
    """/usr and the names beside it, as they are on the host: links in a merged /usr, else directories."""
    parts = ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        place = Path(name)
        if place.is_symlink():
            parts += ["--symlink", str(place.readlink()), name]
        elif place.is_dir():
            parts += ["--ro-bind", name, name]
    return parts


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


def _etc(own: str, *, certificates: bool) -> list[str]:
    parts = [part for name in _ETC for part in ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")]
    for name in _FILES:
        parts += ["--ro-bind", f"{own}/{name}", f"/etc/{name}"]
    return [*parts, *(("--ro-bind", f"{own}/{Path(CERTIFICATES).name}", CERTIFICATES) if certificates else ())]
