"""A terminal for one command: its master goes to whoever asked, its slave controls the command."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

IN_BOX = "/dev/console"
"""Where bubblewrap shows a box the terminal that it was started on."""


class Pty:
    """A pair of ends."""

    def __init__(self, size: tuple[int, int], uid: int | None) -> None:
        self.master, self.slave = os.openpty()
        set_size(self.master, *size)
        if uid is not None:
            # The box's user opens it by its name.
            os.fchown(self.slave, uid, -1)

    def become_controlling(self) -> None:
        """Make it the terminal of the session that the caller leads."""
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def close(self) -> None:
        """Let go of both ends: the master's end is seen once nobody else holds the slave."""
        os.close(self.master)
        os.close(self.slave)


def set_size(master: int, rows: int, columns: int) -> None:
    """Give a terminal another size."""
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def on_terminal(command: list[str]) -> list[str]:
    """The same command on the box's terminal, which controls a session of its own: bubblewrap's belongs to its init."""
    script = f'exec /usr/bin/setsid -c "$@" <>{IN_BOX} >&0 2>&0'
    return ["/bin/sh", "-c", script, "sh", *command]
