"""What the driver asks a supervisor to do in a container, as one JSON file; without heavy imports."""

from __future__ import annotations

import json
import posixpath

TASK, STDIN = "task.json", "stdin"
"""Files of a command's folder beside those that every driver writes: what is asked, and what the command reads."""
NAME, SOCKET = "exec", "terminal.sock"
"""For a terminal: the command's name at the engine, and where who sits at it connects."""

ENGINE = "engine"
"""File of a box's folder: the socket of the engine that was asked for its container; gone once the container is."""

HOME = "/home/agent"
FIRST_GROUP = 30_000
"""The group of a box's own doings; its nth command has the nth after it.

A process without capabilities can neither leave its group nor join another, and whatever it starts inherits it: so the
group names the command that a process belongs to, however it was detached.
"""
MOST_COMMANDS = 30_000
KEEPER = 65534
"""User and group of the container's first process: commands, as another user, can't end it."""

_ENTER = 'cd -- "$1" 2>/dev/null || { echo "$0" >&2; exit 125; }; shift; exec "$@"'
NO_FOLDER = 125
# A terminal gets its size when the command runs already, which may ask for it at once.
_AWAIT_SIZE = 'i=0; while [ "$(stty size)" = "0 0" ] && [ $i -lt 100 ]; do sleep 0.01; i=$((i + 1)); done; '


class Task:
    """One command. Sizes in bytes, times in seconds."""

    def __init__(
        self,
        *,
        engine: str,
        container: str,
        init_pid: int,
        uid: int,
        group: int,
        argv: list[str],
        env: dict[str, str],
        without: list[str],
        cwd: str,
        workdir: str,
        mark: str,
        output_bytes: int,
        timeout_s: float,
        stall_s: float | None,
        network: list[str],
        internal: list[str],
        gateway: str,
        lock: str,
        told: str,
        pids: int,
        opens: list[str],
        tree: str,
        watched: list[str],
        disk_bytes: int,
        terminal: tuple[int, int] | None = None,
    ) -> None:
        self.engine = engine
        """The engine's socket."""
        self.container = container
        self.init_pid = init_pid
        """The container's first process as this machine sees it."""
        self.uid = uid
        self.group = group
        self.argv = argv
        self.env = env
        self.without = without
        """Variables that the image or the engine would add."""
        self.cwd = cwd
        self.workdir = workdir
        self.mark = mark
        """What is said when `cwd` is not there: a secret, so that a command can't say it."""
        self.output_bytes = output_bytes
        self.timeout_s = timeout_s
        self.stall_s = stall_s
        self.network = network
        """Host names that the proxy lets through; empty: no network at all."""
        self.internal = internal
        self.gateway = gateway
        """The socket of the host's gateway; empty: no gateway."""
        self.lock = lock
        """Held, together with others, while the command runs."""
        self.told = told
        """Where the counters of the container's limits are kept from one command to the next."""
        self.pids = pids
        self.opens = opens
        """Files of the work tree, of which it is asked whether they are opened."""
        self.tree = tree
        """The work tree as this machine sees it; empty: it does not."""
        self.watched = watched
        """Work tree and home on this machine, which together may take `disk_bytes`; none where they lie in memory."""
        self.disk_bytes = disk_bytes
        self.terminal = terminal
        """Rows and columns of the terminal that the command gets; None: pipes."""

    @property
    def box(self) -> str:
        """The box's folder."""
        return posixpath.dirname(self.lock)

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(vars(self))

    @classmethod
    def load(cls, text: str) -> Task:
        """From JSON."""
        return cls(**json.loads(text))

    def exec_request(self, *, stdin: bool) -> dict[str, object]:
        """What the engine is asked to start."""
        shown = {name: value for name, value in self.env.items() if name.isidentifier() and _is_text(name + value)}
        unset = [part for name in self.without if name not in self.env for part in ("-u", name)]
        # A shell drops variables that it could not name itself, and JSON has no bytes: these few are set after both.
        odd = [f"{name}={value}" for name, value in self.env.items() if name not in shown]
        program = ["/bin/sh", "-c", 'exec "$0" "$@"', *self.argv] if "=" in self.argv[0] else self.argv
        words = [posixpath.join(self.workdir, self.cwd), "/usr/bin/env", *unset, "--", *odd, *program]
        return {
            "AttachStdin": stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": self.terminal is not None,
            "User": f"{self.uid}:{self.group}",
            # The engine would resolve links of the box in a folder that it is told, with descriptors of its own open.
            "WorkingDir": "/",
            "Env": [f"{name}={value}" for name, value in shown.items()],
            "Cmd": _enter(self.mark, words, _AWAIT_SIZE + _ENTER if self.terminal else _ENTER),
        }


def _enter(mark: str, words: list[str], script: str) -> list[str]:
    """A shell that goes to the folder words[0] and becomes the rest."""
    if all(_is_text(word) for word in words):
        return ["/bin/sh", "-c", script, mark, *words]
    lines, names = [], []
    for number, word in enumerate(words):
        octal = "".join(f"\\{byte:03o}" for byte in word.encode("utf-8", "surrogateescape"))
        # The x keeps a final newline, which a substitution would lose.
        lines.append(f"w{number}=$(printf '{octal}x'); w{number}=${{w{number}%x}}")
        names.append(f'"$w{number}"')
    return ["/bin/sh", "-c", "\n".join([*lines, f"set -- {' '.join(names)}", script]), mark]


def _is_text(word: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in word)
