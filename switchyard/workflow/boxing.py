"""One command in a sandbox exactly as a task would run it, for a person to try things."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import assert_never

from switchyard_sandbox import (
    KEEP,
    BoxId,
    BoxInfo,
    BoxSpec,
    CodeIn,
    Command,
    Driver,
    Finding,
    Finished,
    Limits,
    OutputSink,
    SetUp,
)

from switchyard.config import Config
from switchyard.workflow.outside import Gateway, ModelAccess
from switchyard.workflow.places import Places
from switchyard.workflow.programs import context_program

SCHEMA = "switchyard.exec/1"
MANUAL = "manual"
"""The role of a box that a person asked for; a run leaves it alone."""
PASSED_OUTPUT_MB = 4096
"""How much of each stream passes through to whoever watches; a document holds as much as a task's output does."""


@dataclass(frozen=True)
class BoxRequest:
    """What a box was asked for; None leaves it to the configuration."""

    argv: tuple[str, ...]
    timeout_s: float | None = None
    stall_s: float | None = None
    memory_mb: int | None = None
    stdin: bytes = b""
    keep: bool = False
    passes_output: bool = False
    """Whether the output goes to a sink and is not kept."""
    on_setup: Callable[[SetUp], None] | None = None
    """Told when set-up's commands are about to run."""


@dataclass(frozen=True)
class Boxed:
    """How it ended."""

    box: BoxId
    finished: Finished
    findings: tuple[Finding, ...]
    changed: tuple[str, ...]
    bound: str
    """What the limit that ended it allows, with its unit; empty where none did."""

    @property
    def exit_code(self) -> int:
        """The command's own code, 128 + signal, or 124 at a limit."""
        if self.finished.limit:
            return 124
        if self.finished.signal:
            return 128 + self.finished.signal
        return int(self.finished.exit_code or 0)

    def as_json(self, kept: bool) -> dict[str, object]:
        """`switchyard.exec/1`; bytes that are no UTF-8 stand as U+FFFD."""
        finished = self.finished
        return {
            "schema": SCHEMA,
            "exit_code": self.exit_code,
            "signal": finished.signal,
            "timed_out": finished.limit in ("timeout", "stall"),
            "limit": finished.limit,
            "stdout": finished.stdout.decode("utf-8", "replace"),
            "stderr": finished.stderr.decode("utf-8", "replace"),
            "truncated": finished.truncated,
            "duration_s": round(finished.duration_s, 3),
            "sandbox": self.box if kept else None,
            "changed": [name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name in self.changed],
            "findings": [
                {
                    "path": finding.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
                    "kind": finding.kind,
                    "detail": finding.detail,
                    "refused": finding.refused,
                }
                for finding in self.findings
            ],
        }


def run_boxed(
    driver: Driver,
    config: Config,
    places: Places,
    code: CodeIn,
    request: BoxRequest,
    sink: OutputSink | None,
    gateway: Gateway | None = None,
) -> Boxed:
    """Run the command, look at what it left, and remove the box unless it is to be kept."""
    with opened_box(driver, config, places, code, request, gateway) as box:
        sandbox = config.sandbox
        command = Command(
            argv=request.argv,
            stdin=request.stdin,
            timeout_s=request.timeout_s or sandbox.timeout_minutes * 60,
            stall_s=request.stall_s or sandbox.stall_minutes * 60,
            capture=not request.passes_output,
        )
        finished = driver.execute(box, command, sink)
        extraction = driver.extract(box, places.factory)
    return Boxed(box, finished, extraction.findings, extraction.changed, _bound(config, request, command, finished))


@contextmanager
def opened_box(
    driver: Driver, config: Config, places: Places, code: CodeIn, request: BoxRequest, gateway: Gateway | None
) -> Iterator[BoxId]:
    """A box as a task would get it, removed at the end: always after an error, else unless it is to be kept."""
    spec = _spec(config, places, code, request)
    with ExitStack() as stack:
        # A name of its own: a second box's token must not end this one's.
        labels = {"role": MANUAL, "token": secrets.token_hex(8)}
        models = stack.enter_context(ModelAccess(gateway, labels, spec.ttl_s))
        box = driver.create(replace(spec, gateway=models.granted))
        stack.callback(driver.destroy, box)
        yield box
        if request.keep:
            # It goes on with its token, up to their common ttl.
            stack.pop_all()


def _bound(config: Config, request: BoxRequest, command: Command, finished: Finished) -> str:
    sandbox = config.sandbox
    match finished.limit:
        case None:
            return ""
        case "timeout":
            return f"{command.timeout_s:g} s"
        case "stall":
            return f"{command.stall_s:g} s without output"
        case "memory":
            return f"{request.memory_mb or sandbox.memory_mb} MiB"
        case "disk":
            return f"{sandbox.disk_mb} MiB"
        case "pids":
            return f"{sandbox.pids} processes"
        case _:
            assert_never(finished.limit)


def describe_boxes(boxes: Sequence[BoxInfo]) -> dict[str, object]:
    """`switchyard.sandboxes/1`: live boxes and orphans."""
    return {
        "schema": "switchyard.sandboxes/1",
        "sandboxes": [
            {
                "id": box.id,
                "kind": box.kind,
                "task": box.labels.get("task") or None,
                "attempt": int(attempt) if (attempt := box.labels.get("attempt", "")).isdigit() else None,
                "state": box.state,
                "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(box.since)),
                "labels": dict(box.labels),
            }
            for box in boxes
        ],
    }


def _spec(config: Config, places: Places, code: CodeIn, request: BoxRequest) -> BoxSpec:
    sandbox = config.sandbox
    return BoxSpec(
        labels={"role": MANUAL} | ({KEEP: "yes"} if request.keep else {}),
        code=code,
        limits=Limits(
            cpus=sandbox.cpus,
            memory_mb=request.memory_mb or sandbox.memory_mb,
            pids=sandbox.pids,
            disk_mb=sandbox.disk_mb,
            output_mb=PASSED_OUTPUT_MB if request.passes_output else Limits.output_mb,
        ),
        setup=SetUp(commands=tuple(sandbox.setup), network=tuple(sandbox.setup_network), on_begin=request.on_setup),
        env=sandbox.env,
        network=tuple(sandbox.network),
        programs=(context_program(places.seed(code.commit)),),
        ttl_s=(request.timeout_s or sandbox.timeout_minutes * 60) + (86_400 if request.keep else 300),
        workspace=sandbox.workspace,
        allow_degraded=sandbox.allow_degraded,
    )
