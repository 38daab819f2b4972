"""Parsing in processes of our own: it uses every core, and a file that makes a grammar crash or hang costs that file.

The only module of the package that starts processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from switchyard_context.facts import FileFacts, decode_facts
from switchyard_context.reading import read_facts

Job = tuple[str, bytes]
"""(path, content)"""

_MIN_BYTES = 1_000_000
_BASE_S, _S_PER_MB = 20.0, 4.0


def parse(jobs: Sequence[Job]) -> list[FileFacts]:
    """Facts in the order of the jobs; in this process where starting others would take longer than it saves."""
    total = sum(len(content) for _, content in jobs)
    if total < _MIN_BYTES:
        return [read_facts(path, content) for path, content in jobs]
    shares = _deal(jobs, max(1, min(os.cpu_count() or 1, 8, total // (_MIN_BYTES // 2))))
    workers = [start([jobs[index] for index in share]) for share in shares]
    facts: list[FileFacts] = [FileFacts()] * len(jobs)
    for share, worker in zip(shares, workers, strict=True):
        for index, found in zip(share, finish(worker), strict=True):
            facts[index] = found
    return facts


def _deal(jobs: Sequence[Job], count: int) -> list[list[int]]:
    """Shares of about equal bytes, each with its largest files last, so that a slow one holds up nothing."""
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for index in sorted(range(len(jobs)), key=lambda index: -len(jobs[index][1])):
        lightest = loads.index(min(loads))
        shares[lightest].append(index)
        loads[lightest] += len(jobs[index][1]) + 500
    return [share[::-1] for share in shares if share]


@dataclass
class Worker:
    """A process at work on some files."""

    jobs: list[Job]
    process: subprocess.Popen[bytes]
    answers: IO[bytes]
    deadline: float


def start(jobs: list[Job]) -> Worker:
    """Start a process on some files."""
    # Files instead of pipes: nobody waits for anybody to read.
    with tempfile.TemporaryFile() as questions:
        for path, content in jobs:
            questions.write(json.dumps([path, len(content)]).encode() + b"\n" + content)
        questions.seek(0)
        answers = tempfile.TemporaryFile()  # noqa: SIM115 - closed by finish
        # -P keeps the current folder, which may be anybody's, off the module path.
        argv = (sys.executable, "-P", "-m", "switchyard_context.workers")
        process = subprocess.Popen(
            argv, stdin=questions, stdout=answers, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True
        )
    size = sum(len(content) for _, content in jobs)
    return Worker(jobs, process, answers, time.monotonic() + _BASE_S + size / 1e6 * _S_PER_MB)


def finish(worker: Worker) -> Iterator[FileFacts]:
    """The worker's facts; after a crash the file it died of has none, and another worker does the rest."""
    reason = ""
    try:
        code = worker.process.wait(timeout=max(0.0, worker.deadline - time.monotonic()))
        reason = f"the parser ended with {code}" if code else ""
    except subprocess.TimeoutExpired:
        worker.process.kill()
        worker.process.wait()
        reason = "the parser took too long"
    except BaseException:
        worker.process.kill()
        worker.process.wait()
        raise
    with worker.answers:
        worker.answers.seek(0)
        lines = [line for line in worker.answers.read().split(b"\n")[:-1] if line]
    done = len(lines)
    yield from (decode_facts(json.loads(line)) for line in lines)
    if done < len(worker.jobs):
        yield FileFacts(problem=f"{reason or 'the parser ended early'}; skipped")
        if done + 1 < len(worker.jobs):
            yield from finish(start(worker.jobs[done + 1 :]))


def _serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    while header := questions.readline():
        path, size = json.loads(header)
        facts = read_facts(path, questions.read(size))
        answers.write(json.dumps(facts.encode(), separators=(",", ":")).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
