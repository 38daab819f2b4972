"""Parsing in processes of our own: it uses every core, and a file that makes a grammar crash or hang costs that file.

The only module of the package that starts processes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from switchyard_context.cache import BlobRow
from switchyard_context.facts import FileFacts, pack_facts
from switchyard_context.parser import ROW
from switchyard_context.source import Source
from switchyard_context.term_rows import TermHasher

_ALONE = 50
_CHUNK = 1500
_MAX_WORKERS = 8
# What a file does to its parser; other signals come from people and from a machine without memory.
_DEADLY = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGPROF)
# Without the package's face, whose imports would take longer than the parsing of a few files.
_BOOT = """
import sys, types
sys.path[:] = {path!r}
package = sys.modules["switchyard_context"] = types.ModuleType("switchyard_context")
package.__path__ = [{folder!r}]
from switchyard_context.parser import serve
serve()
"""


class Parsed(NamedTuple):
    """What came of one file."""

    path: str
    row: BlobRow
    is_final: bool
    """False where another try may give something else: the file changed or vanished, or somebody ended the parser."""


@dataclass
class Worker:
    """A process at work on some files."""

    jobs: Sequence[tuple[str, str]]
    process: subprocess.Popen[bytes]
    answers: IO[bytes]
    resources: ExitStack


def parse(source: Source, paths: Sequence[str]) -> Iterator[list[Parsed]]:
    """Facts and terms of files, in groups as they come."""
    count = min(os.cpu_count() or 1, _MAX_WORKERS)
    rounds = -(-len(paths) // (count * _CHUNK))
    chunks = count * rounds if len(paths) > _ALONE else min(1, len(paths))
    # Every n-th file: neighbours are alike in size, so all chunks are about as large.
    waiting = deque(paths[start::chunks] for start in range(chunks))
    # One more than cores, so that none of them idles while another chunk is waited for.
    running: deque[Worker] = deque()
    try:
        while waiting or running:
            while waiting and len(running) < count + (chunks > count):
                running.append(start(source, waiting.popleft()))
            yield list(finish(source, running[0]))
            running.popleft()
    finally:
        for worker in running:
            worker.process.kill()
            worker.process.wait()
            worker.resources.close()


def start(source: Source, paths: Sequence[str]) -> Worker:
    """Start a process on some files."""
    jobs = [(path, source.blobs[path]) for path in paths]
    with ExitStack() as resources:
        # Files instead of pipes: nobody waits for anybody to read.
        # They have no names, so that none is left behind whoever is killed.
        questions = resources.enter_context(tempfile.TemporaryFile())
        root = None if source.root is None else str(source.root)
        questions.write(json.dumps({"jobs": jobs, "root": root, "parent": os.getpid()}).encode())
        questions.seek(0)
        answers = resources.enter_context(tempfile.TemporaryFile())
        given = resources.enter_context(source.stream(paths)) if source.root is None else subprocess.DEVNULL
        process = subprocess.Popen(
            (sys.executable, "-I", "-S", "-c", _boot(), str(questions.fileno())),
            stdin=given, stdout=answers, stderr=subprocess.DEVNULL, pass_fds=(questions.fileno(),), cwd="/",
            start_new_session=True,
        )  # fmt: skip
        return Worker(jobs, process, answers, resources.pop_all())


def finish(source: Source, worker: Worker) -> Iterator[Parsed]:
    """What the worker found; after a crash the file it died of has nothing, and another worker does the rest."""
    while True:
        code, found = _collect(worker)
        yield from found
        left = [path for path, _ in worker.jobs[len(found) :]]
        if not left:
            return
        if code >= 0 and not found:
            # No grammar ends a process in this way: there is no memory, no disk, no tree-sitter.
            yield from (Parsed(path, problem_row("the parser could not be run"), False) for path in left)
            return
        yield Parsed(left[0], problem_row(_reason(code)), -code in _DEADLY)
        if not left[1:]:
            return
        worker = start(source, left[1:])


def _collect(worker: Worker) -> tuple[int, list[Parsed]]:
    try:
        code = worker.process.wait()
    except BaseException:
        worker.process.kill()
        raise
    with worker.resources:
        worker.answers.seek(0)
        return code, list(_read_rows(worker.answers.read(), worker.jobs))


def problem_row(problem: str) -> BlobRow:
    """The row of a file of which nothing is known."""
    return BlobRow(pack_facts(FileFacts(problem=problem)), TermHasher().pack({}))


def _read_rows(answers: bytes, jobs: Sequence[tuple[str, str]]) -> Iterator[Parsed]:
    position = 0
    for path, _ in jobs:
        middle = position + ROW.size
        if middle > len(answers):
            return
        facts_size, terms_size, is_final = ROW.unpack_from(answers, position)
        position = middle + facts_size + terms_size
        if position > len(answers):
            return
        facts = answers[middle : middle + facts_size]
        yield Parsed(path, BlobRow(facts, answers[middle + facts_size : position]), is_final)


def _reason(code: int) -> str:
    if code == -signal.SIGPROF:
        return "takes too long to parse; skipped"
    return f"ends the parser ({_signal_name(-code) if code < 0 else f'exit {code}'}); skipped"


def _signal_name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _boot() -> str:
    return _BOOT.format(path=[entry for entry in sys.path if entry], folder=str(Path(__file__).parent))
