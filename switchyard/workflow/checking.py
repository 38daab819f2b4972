"""Checks: each in a sandbox of its own, on the extracted commit, out of the agent's reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from switchyard_sandbox import BoxId, BoxSpec, CodeIn, Command, Decision, Finished, SetUp

from switchyard.gates.test_output import read_report
from switchyard.packets import CheckResult
from switchyard.workflow.factory import Factory
from switchyard.workflow.surroundings import surroundings_of

TAIL_BYTES = 4000


def check_in_box(
    factory: Factory,
    labels: Mapping[str, str],
    code: CodeIn,
    name: str,
    command: str,
    on_decisions: Callable[[Sequence[Decision]], None],
    environment: str = "",
) -> CheckResult:
    """Run one command in a fresh sandbox, after ending what an interrupted try under the same labels left behind.

    Args:
        on_decisions: Told what set-up asked of its proxy, where it runs for this sandbox.
        environment: The name of an `[environments.NAME]`; "": the sandbox as it is.

    Raises:
        SandboxError: The sandbox could not be had; that says nothing about the code.
        WorkFailed: There is no such environment any more.
    """
    with fresh_box(factory, labels, code, on_decisions, environment) as box:
        finished = run_in_box(factory, box, command)
    return _result(factory, name, command, finished, environment)


@contextmanager
def fresh_box(
    factory: Factory,
    labels: Mapping[str, str],
    code: CodeIn,
    on_decisions: Callable[[Sequence[Decision]], None],
    environment: str = "",
) -> Iterator[BoxId]:
    """A sandbox for commands of ours, with no network, destroyed at the end; an interrupted try's is ended first.

    Raises:
        SandboxError: The sandbox could not be had; that says nothing about the code.
    """
    sandbox, around = factory.config.sandbox, surroundings_of(factory.config, environment)
    destroy_boxes(factory, labels)
    box = factory.driver.create(
        BoxSpec(
            labels=labels,
            code=code,
            limits=factory.limits(),
            setup=SetUp(around.setup, around.setup_network, on_decisions=on_decisions),
            env=around.env,
            image=around.image,
            ttl_s=sandbox.timeout_minutes * 60 + 300,
            workspace=sandbox.workspace,
            allow_degraded=sandbox.allow_degraded,
        )
    )
    try:
        yield box
    finally:
        factory.driver.destroy(box)


def run_in_box(factory: Factory, box: BoxId, command: str) -> Finished:
    """A shell command, with the time that the configuration gives to one."""
    sandbox = factory.config.sandbox
    return factory.driver.execute(
        box,
        Command(
            argv=("sh", "-c", command),
            timeout_s=sandbox.timeout_minutes * 60,
            stall_s=sandbox.stall_minutes * 60,
        ),
    )


def destroy_boxes(factory: Factory, labels: Mapping[str, str]) -> None:
    """End what an interrupted try of the same step left behind."""
    for box in factory.driver.list(labels):
        factory.driver.destroy(box.id)


def _result(factory: Factory, name: str, command: str, finished: Finished, environment: str) -> CheckResult:
    output = finished.stdout + finished.stderr
    report = read_report(output)
    return CheckResult(
        name=name,
        command=command,
        passed=finished.ok,
        exit_code=finished.exit_code,
        signal=finished.signal,
        limit=finished.limit,
        duration_s=round(finished.duration_s, 3),
        output=factory.artifacts.put(output),
        tail="" if finished.ok else tail(output),
        environment=environment,
        tests=report.passed,
        failures=() if finished.ok else report.failures,
    )


def tail(output: bytes) -> str:
    """The last lines of some output as text, whole lines where possible."""
    text = output[-TAIL_BYTES:].decode("utf-8", "replace")
    if len(output) > TAIL_BYTES:
        text = text.partition("\n")[2] or text
    return text.strip("\n")
