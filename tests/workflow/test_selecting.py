"""The context of a task is read from its own base, and one without targets starts from what its parents changed."""

from __future__ import annotations

import json
from typing import Any

from switchyard.packets import Ground, PlannedTask
from switchyard.workflow.selecting import MAX_SEEDS, parents_changes, select_context

from .conftest import Yard

TREE = {"src/one.py": "import two\n", "src/two.py": "X = 1\n", "notes.md": "Notes.\n"}


def selected(yard: Yard, task: PlannedTask, ground: Ground) -> dict[str, list[str]]:
    """Path → reasons."""
    context = select_context(yard.factory, yard.plan, task, ground)
    listing: dict[str, Any] = json.loads(yard.factory.artifacts.get(context.listing))
    return {item["path"]: item["reasons"] for item in listing["files"]}


def test_a_child_without_targets_starts_from_what_its_parents_changed(yard: Yard) -> None:
    parent = yard.commit(yard.base, TREE)
    child = yard.task("child", "parent", body="Go on with it.")
    ground = yard.ground(parent, "factory/r1/parent")
    assert parents_changes(yard.factory, yard.plan, child, ground) == ["src/one.py", "src/two.py"]
    assert {"src/one.py", "src/two.py"} <= selected(yard, child, ground).keys()


def test_targets_and_tasks_without_parents_are_left_as_they_are(yard: Yard) -> None:
    parent = yard.commit(yard.base, TREE)
    ground = yard.ground(parent, "factory/r1/parent")
    named = yard.task("child", "parent", targets=["a"])
    assert parents_changes(yard.factory, yard.plan, named, ground) == []
    assert parents_changes(yard.factory, yard.plan, yard.task("alone"), yard.ground()) == []


def test_files_that_the_task_names_come_first_and_too_many_are_cut(yard: Yard) -> None:
    many = {f"src/part{number:02}.py": "" for number in range(MAX_SEEDS + 4)}
    ground = yard.ground(yard.commit(yard.base, many), "factory/r1/parent")
    child = yard.task("child", "parent", body="Mend part11 at last.")
    found = parents_changes(yard.factory, yard.plan, child, ground)
    assert (found[0], len(found)) == ("src/part11.py", MAX_SEEDS)


def test_what_parents_removed_is_no_start_and_other_files_are_one_where_there_is_no_source(yard: Yard) -> None:
    ground = yard.ground(yard.commit(yard.base, {"a": None, "b": "new\n", "test_x.py": ""}), "factory/r1/parent")
    assert parents_changes(yard.factory, yard.plan, yard.task("child", "parent"), ground) == ["b", "test_x.py"]


def test_a_base_that_moved_on_is_not_what_parents_changed(yard: Yard) -> None:
    parent = yard.commit(yard.base, {"src/mine.py": ""})
    moved = yard.commit(yard.base, {"src/theirs.py": ""}, at=5)
    plan = yard.plan.model_copy(update={"base_commit": moved})
    ground = yard.ground(parent, "factory/r0/parent")
    assert parents_changes(yard.factory, plan, yard.task("child", "parent"), ground) == ["src/mine.py"]


def test_acceptance_and_test_requirements_say_what_matters_too(yard: Yard) -> None:
    files = {f"src/{name}.py": f"def {name}_total():\n    pass\n" for name in ("basket", "invoice", "parcel")}
    ground = yard.ground(yard.commit(yard.base, files))
    child = yard.task(
        "child", body="Mend it.", acceptance=["`invoice_total` is right"], test_requirements="parcel_total"
    )
    assert {"src/invoice.py", "src/parcel.py"} <= selected(yard, child, ground).keys()
    assert "src/invoice.py" not in selected(yard, yard.task("child", body="Mend it."), ground)


def test_a_name_that_is_no_text_can_be_selected(yard: Yard) -> None:
    odd = "src/\udcff.py"
    ground = yard.ground(yard.commit(yard.base, {odd: "X = 1\n"}), "factory/r1/parent")
    assert odd in selected(yard, yard.task("child", targets=[odd]), ground)
