"""A random DAG of tasks whose edits touch the same files, run for real from task files to pull requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from end_to_end.yard import Yard, random_tasks


@pytest.mark.sandbox
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_every_head_is_the_edits_of_its_ancestors_and_its_own(tmp_path: Path, seed: int) -> None:
    tasks = random_tasks(seed)
    yard = Yard(tmp_path, tasks)

    yard.run("run")

    rows = yard.status()
    assert {row["state"] for row in rows.values()} == {"published"}
    for name in tasks.depends_on:
        assert yard.files_at(str(rows[name]["head"])) == tasks.oracle(name), name
    assert len(yard.stack()) == len(tasks.depends_on)
    assert set(yard.pushes().values()) == {1}
    assert yard.boxes() == []
    yard.run("ledger", "verify")
