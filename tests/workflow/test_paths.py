"""Paths of an attempt and of its base are written alike, so that the policy can compare them."""

from __future__ import annotations

import pytest

from switchyard.gates import touches_tests
from switchyard.workflow.paths import paths_at, printable
from workflow.conftest import Yard


@pytest.mark.parametrize("name", ["tests/test_a.py", "tests/test_\udcff.py", "tests/tëst with space.py"])
def test_an_edit_of_a_test_is_seen_whatever_bytes_its_name_has(yard: Yard, name: str) -> None:
    base = yard.commit(yard.base, {name: "assert 1 == 1\n"})
    after = yard.commit(base, {name: "pass\n", "tests/test_new.py": "pass\n"})
    changed = [printable(change.path) for change in yard.factory.quarantine.changes(base, after)]
    assert touches_tests(changed, paths_at(yard.factory.quarantine, base)) == [printable(name)]
    assert all(path.encode() for path in changed)
