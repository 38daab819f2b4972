"""Which tests the import graph of a commit knows for what a change touches."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from switchyard_context.coverage import rank_tests
from switchyard_context.graph import is_test
from switchyard_git import Change, CommitSha

from switchyard.gates.test_files import is_configuration
from switchyard.packets import Covering
from switchyard.workflow.factory import Factory
from switchyard.workflow.graphs import read_commit
from switchyard.workflow.paths import printable

PLACEHOLDER = "{tests}"
"""In a check's command: the tests that cover what was changed."""
MOST_TESTS = 200
_ABSENT = "000000"


def find_covering(factory: Factory, base: CommitSha, commit: CommitSha) -> Covering:
    """The tests that speak for a change, the likeliest first, and the changed sources that none reaches."""
    changes = factory.quarantine.changes(base, commit)
    changed = [change.path for change in changes if change.new_mode != _ABSENT]
    codebase = read_commit(factory.places, commit)
    graph = codebase.graph
    known = [path for path in changed if path in graph]
    sources = [path for path in known if _is_source(path)]
    before = _covering_before(factory, base, changes)
    if not known:
        return Covering(tests_on_base=before)
    reaching = graph.tests_covering(sources) if sources else []
    likely = [test.path for test in rank_tests(codebase, sources)] if len(reaching) > 1 else []
    own = [path for path in known if is_test(path)]
    first = [path for path in likely if path in set(reaching)]
    tests = [path for path in dict.fromkeys((*own, *first, *reaching)) if is_test(path)]
    tests = [path for path in tests if printable(path) == path][:MOST_TESTS]
    new = {change.path for change in changes if change.old_mode == _ABSENT}
    return Covering(
        tests=tuple(tests),
        tests_on_base=tuple(dict.fromkeys((*(test for test in tests if test not in new), *before)))[:MOST_TESTS],
        sources=len(sources),
        unreached=tuple(printable(path) for path in sources if not graph.tests_covering([path])),
    )


def _covering_before(factory: Factory, base: CommitSha, changes: Sequence[Change]) -> tuple[str, ...]:
    """The tests that the base has for what is changed or gone; a change may have deleted them."""
    graph = read_commit(factory.places, base).graph
    existed = [change.path for change in changes if change.old_mode != _ABSENT and change.path in graph]
    gone = [change.path for change in changes if change.new_mode == _ABSENT and is_test(change.path)]
    sources = [path for path in existed if _is_source(path)]
    tests = dict.fromkeys((*gone, *(graph.tests_covering(sources) if sources else ())))
    return tuple(path for path in tests if is_test(path) and printable(path) == path)


def _is_source(path: str) -> bool:
    return not is_test(path) and not is_configuration(path)


def fill_tests(command: str, tests: Sequence[str]) -> str | None:
    """A check's command with the tests in their place; None where it asks for tests and there is none."""
    if PLACEHOLDER not in command:
        return command
    return command.replace(PLACEHOLDER, shlex.join(_plain(test) for test in tests)) if tests else None


def _plain(path: str) -> str:
    """A path that no program takes for an option."""
    return f"./{path}" if path.startswith("-") else path
