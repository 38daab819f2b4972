"""Starts bubblewrap for one command: under the box's uid, in its cgroups, with nothing inherited."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import time

from switchyard_sandbox.embedded import kernel, seccomp
from switchyard_sandbox.embedded.job import ARGUMENTS_FD, AUDIT, BLOCK_FD, INFO_FD, SECCOMP_FD, Group, Job, Plan
from switchyard_sandbox.embedded.pseudoterminal import Pty, on_terminal

_INFO_WAIT_S = 30.0
_NOT_RUN = 127
_SIGNAL_OFFSET = 128


class Started:
    """A bubblewrap that runs, and what it tells of the box."""

    def __init__(self, pid: int, stdout_fd: int, stderr_fd: int, info_fd: int = -1) -> None:
        self.pid = pid
        self.stdout_fd = stdout_fd
        self.stderr_fd = stderr_fd
        self.end_fd = os.pidfd_open(pid)
        self.init_pid = 0
        """The box's first process as the host numbers it; 0 until known."""
        self.status: int | None = None
        self._info_fd = info_fd
        """Where bubblewrap tells of itself; -1: the command runs without it."""
        self._info = b""

    def learn(self) -> None:
        """Wait until bubblewrap tells the box's first process, or ends."""
        give_up = time.monotonic() + _INFO_WAIT_S
        while b"\n" not in self._info and time.monotonic() < give_up:
            piece = os.read(self._info_fd, 4096)
            if not piece:
                return
            self._info += piece
        self.init_pid = int(json.loads(self._info.split(b"\n")[0])["child-pid"])

    def has_ended(self) -> bool:
        """Whether bubblewrap has ended, and with it the command."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is not None

    def bury(self) -> bool | None:
        """Take leave of a child that has ended, this or an adopted one; False: none has; None: there is none left."""
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if pid == self.pid and self.status is None:
            self.status = status
        return pid != 0

    def set_up_done(self) -> bool:
        """Whether the command itself was started: bubblewrap reports an exit code only then."""
        while self._info_fd >= 0 and (piece := os.read(self._info_fd, 4096)):
            self._info += piece
        return self._info_fd < 0 or b"exit-code" in self._info

    def exit_code(self) -> int:
        """The exit code, or minus the signal's number; a box's supervisor tells a signal as 128 + number."""
        if self.status is None:
            return -signal.SIGKILL
        code = os.waitstatus_to_exitcode(self.status)
        told_by_bwrap = self._info_fd >= 0 and _SIGNAL_OFFSET < code <= _SIGNAL_OFFSET + 64
        return _SIGNAL_OFFSET - code if told_by_bwrap else code


def start(job: Job, plan: Plan, stdin_fd: int, pty: Pty | None) -> Started:
    """Start the job's command, on pipes or on a terminal."""
    started = _start_confined(job, plan, stdin_fd, pty) if job.bwrap else _start_plain(job, stdin_fd, pty)
    os.close(stdin_fd)
    if pty:
        pty.close()
    return started


def _start_plain(job: Job, stdin_fd: int, pty: Pty | None) -> Started:
    """Start the command as it is: the driver that isolates nothing asks for this."""
    # A missing directory is the caller's fault, not the command's: found out before there is a command.
    os.close(os.open(job.cwd, os.O_RDONLY | os.O_DIRECTORY))
    if job.gateway:
        from switchyard_sandbox.embedded.network import serve_gateway

        address = serve_gateway(job.gateway)
        job.env = {name: value.replace("{gateway}", address, 1) for name, value in job.env.items()}
    stdout, stderr = os.pipe(), os.pipe()
    handed = dict.fromkeys(range(3), pty.slave) if pty else {0: stdin_fd, 1: stdout[1], 2: stderr[1]}
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become_command(job, handed, pty, parent)
    for descriptor in (stdout[1], stderr[1]):
        os.close(descriptor)
    return Started(pid, stdout[0], stderr[0])


def _become_command(job: Job, handed: dict[int, int], pty: Pty | None, parent: int) -> None:
    code = _NOT_RUN
    try:
        os.setsid()
        kernel.die_with_parent(parent)
        _forget_signals()
        if pty:
            pty.become_controlling()
        for name, value in job.rlimits.items():
            _limit(getattr(resource, name), value)
        _hand_over(handed)
        os.chdir(job.cwd)
        os.execvpe(job.command[0], job.command, job.env)  # noqa: S606
    except FileNotFoundError as err:
        os.write(2, f"{job.command[0]}: {err.strerror}\n".encode())
    except OSError as err:
        code = _NOT_RUN - 1
        os.write(2, f"{job.command[0]}: {err.strerror}\n".encode())
    finally:
        os._exit(code)


def _start_confined(job: Job, plan: Plan, stdin_fd: int, pty: Pty | None) -> Started:
    """Start bubblewrap; the command runs once `Started.learn` and what needs the box's namespaces are done."""
    stdout, stderr = os.pipe(), os.pipe()
    info, block = os.pipe(), os.pipe()
    arguments = _memory_file(b"\0".join(os.fsencode(part) for part in job.arguments) + b"\0")
    program = _memory_file(seccomp.program())
    handed = {
        0: stdin_fd,
        # bubblewrap shows the box the terminal that its own output goes to.
        1: pty.slave if pty else stdout[1],
        2: stderr[1],
        SECCOMP_FD: program,
        INFO_FD: info[1],
        BLOCK_FD: block[0],
        ARGUMENTS_FD: arguments,
    }
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become_bubblewrap(job, plan, handed, parent)
    for descriptor in (stdout[1], stderr[1], program, info[1], block[0], arguments):
        os.close(descriptor)
    started = Started(pid, stdout[0], stderr[0], info[0])
    started.learn()
    _release(job, plan, started, block[1])
    return started


def _release(job: Job, plan: Plan, started: Started, block_fd: int) -> None:
    """Do what needs the box's namespaces, then let the command go."""
    if started.init_pid and job.pids:
        # Here, not before: inside the box's user namespace the count is the box's own.
        resource.prlimit(started.init_pid, resource.RLIMIT_NPROC, (job.pids, job.pids))
    if started.init_pid and (job.network or job.gateway):
        from switchyard_sandbox.embedded.network import open_ways

        root = plan.uid is not None
        open_ways(job.network, job.internal, job.gateway, AUDIT, started.init_pid, as_root=root)
    try:
        os.write(block_fd, b"1")
    except BrokenPipeError:
        # bubblewrap has given up already; what it says on stderr is the better message.
        return
    finally:
        os.close(block_fd)


def _become_bubblewrap(job: Job, plan: Plan, handed: dict[int, int], parent: int) -> None:
    try:
        os.setsid()
        _forget_signals()
        _join(plan.groups)
        if plan.uid is not None:
            os.setgroups([])
            os.setresgid(plan.uid, plan.uid, plan.uid)
            os.setresuid(plan.uid, plan.uid, plan.uid)
        kernel.forgo_privileges()
        kernel.die_with_parent(parent)
        if job.cpus:
            os.sched_setaffinity(0, job.cpus)
        for name, value in job.rlimits.items():
            _limit(getattr(resource, name), value)
        _hand_over(handed)
        command = on_terminal(job.command) if job.terminal else job.command
        os.execve(job.bwrap, ["bwrap", "--args", str(ARGUMENTS_FD), "--", *command], {})  # noqa: S606
    except OSError as err:
        os.write(handed[2], f"{job.bwrap} could not be started: {err}".encode())
    finally:
        os._exit(_NOT_RUN)


def _hand_over(handed: dict[int, int]) -> None:
    """Put every descriptor where bubblewrap looks for it; all others close on exec."""
    # First out of the way of the target numbers, or one would overwrite another.
    spare = {target: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, 64) for target, source in handed.items()}
    for target, source in spare.items():
        os.dup2(source, target, inheritable=True)


def _join(groups: list[Group]) -> None:
    for path in {group.path for group in groups}:
        with open(path + "/cgroup.procs", "w") as file:
            file.write("0")


def _forget_signals() -> None:
    """Python ignores a broken pipe; programs expect to be ended by it."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (ceiling, ceiling))


def _memory_file(content: bytes) -> int:
    descriptor = os.memfd_create("switchyard", os.MFD_CLOEXEC)
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
