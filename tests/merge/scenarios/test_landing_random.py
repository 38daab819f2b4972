"""Any stack with any culprits lands as its green tasks would one after the other, on trees that were all checked.

`SWITCHYARD_LANDINGS` says how many stacks are tried.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from harbour import Checks, approve, ejected, land, names, trees_of_main, watch_main
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from switchyard_merge.forge import MergeMethod
from test_random_stacks import METHODS, STACKS, Oracle, first_edit, published

pytestmark = pytest.mark.nightly


def with_descendants(parents: tuple[set[int], ...], culprits: set[int]) -> set[int]:
    out = set(culprits)
    for task, below in enumerate(parents):
        if below & out:
            out.add(task)
    return out


@given(
    parents=STACKS,
    culprits=st.sets(st.integers(0, 5), max_size=2),
    method=st.sampled_from(METHODS),
    batch=st.sampled_from([1, 3, 8]),
    moves=st.integers(0, 2),
    flakes=st.integers(0, 1),
)
@settings(
    max_examples=int(os.environ.get("SWITCHYARD_LANDINGS", "8")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_green_tasks_land_and_the_base_is_never_what_nobody_checked(
    tmp_path_factory: pytest.TempPathFactory,
    parents: tuple[set[int], ...],
    culprits: set[int],
    method: MergeMethod,
    batch: int,
    moves: int,
    flakes: int,
) -> None:
    count = len(parents)
    oracle = Oracle(count, {task: f"text {task}" for task in range(count)})
    stage = published(tmp_path_factory.mktemp("landing"), oracle)
    stage.publish(
        {
            f"t{task}": ([f"t{parent}" for parent in sorted(below)], [first_edit(oracle, parents, task)])
            for task, below in enumerate(parents)
        }
    )
    approve(stage)
    culprits = {one for one in culprits if one < count}
    out = with_descendants(parents, culprits)

    def suite(files: Mapping[str, str]) -> str:
        return ", ".join(sorted(f"t{one}" for one in culprits if f"f{one}" in files))

    checks = Checks(stage, suite, flakes=flakes)
    theirs: list[str] = []

    def move_main() -> None:
        theirs.append(stage.yard.factory.tree_of(stage.move_main({"main": f"{len(theirs)}\n"})))

    checks.meanwhile += [move_main] * moves
    watch_main(stage)
    told = land(stage, checks, method=method, batch=batch)
    assert {int(name[1:]) for name in names(told)} == set(range(count)) - out
    assert {int(name[1:]) for name, by in ejected(told).items() if not by} <= culprits
    assert set(trees_of_main(stage)) - set(theirs) <= checks.green
    files = stage.files(stage.main())
    files.pop("main", None)
    landed = sorted(set(range(count)) - out)
    assert files == {"shared": oracle.shared(landed)} | {f"f{task}": oracle.texts[task] for task in landed}
