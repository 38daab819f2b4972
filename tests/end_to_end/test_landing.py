"""`switchyard stack land`: what is approved and green lands, and main never points at what nobody checked."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from end_to_end.plot import CONFIG, Plot

pytestmark = pytest.mark.sandbox

PAIR = 'pair = "! test -e made-by-left.txt || ! test -e made-by-right.txt || ! echo left and right clash"\n'
"""Left and right are green by themselves and red together."""


class Quay(Plot):
    """A plot whose origin remembers where main pointed."""

    def __init__(self, folder: Path) -> None:
        config = CONFIG.replace("[limits]", f"{PAIR}[limits]").replace("concurrency = 2", "concurrency = 1")
        super().__init__(folder, files={"switchyard.toml": config})
        self.git("config", "core.logAllRefUpdates", "always", at=self.origin)

    def land(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """`stack land --json`, which must end with the code."""
        ending = self.run("stack", "land", *arguments, "--json")
        assert ending.code == code, (ending.out, ending.err)
        return dict(ending.document)

    def trees_of_main(self) -> list[str]:
        """The trees that main has pointed at since it was laid out."""
        commits = [line.split()[1] for line in (self.origin / "logs/refs/heads/main").read_text().splitlines()]
        return [self.git("rev-parse", f"{one}^{{tree}}", at=self.origin).strip() for one in commits]

    def green_trees(self) -> set[str]:
        """The trees of which the ledger says that every check of a landing passed."""
        rows = [row for row in self.rows_of_ledger() if {"tree", "stack"} <= row["data"].keys()]
        names = {row["data"]["name"] for row in rows}
        passed = {(row["data"]["tree"], row["data"]["name"]) for row in rows if row["event_type"] == "check_passed"}
        return {tree for tree, _ in passed if all((tree, name) in passed for name in names)}

    def rows_of_ledger(self) -> list[dict[str, Any]]:
        return self.run("ledger", "tail", "-n", "1000", "--json").events

    def comments(self, number: int) -> dict[str, str]:
        file = self.repo / ".git/switchyard/forge" / f"{number}.json"
        return dict(json.loads(file.read_text())["comments"])


def tasks_of(rows: list[dict[str, Any]]) -> list[str]:
    return [row["task"] for row in rows]


@pytest.mark.nightly
def test_what_is_approved_lands_parents_first_and_a_clash_is_left_out_with_its_evidence(tmp_path: Path) -> None:
    quay = Quay(tmp_path)
    for name, parent in (("left", ""), ("leaf", "left"), ("right", ""), ("top", "right")):
        quay.task(name, f"depends_on: [{parent}]")
    assert quay.run("run").code == 0

    assert quay.run("stack", "approve", "left", "leaf", "right", "--by", "grace").code == 0
    assert quay.run("stack", "request-changes", "top", "-m", "which top?", "--by", "grace").code == 0
    numbers = {name: row["pull_request"]["number"] for name, row in quay.rows().items()}
    assert quay.comments(numbers["top"]) == {"review:grace": "which top?"}
    dry = quay.land("--dry-run", code=1)
    assert (set(tasks_of(dry["foreseen"])), dry["checks"], dry["landed"]) == ({"left", "leaf", "right"}, 0, [])
    assert quay.git("log", "--format=%s", "main", at=quay.origin).splitlines() == ["Lay out"]

    told = quay.land("--batch", "8", code=1)
    assert (tasks_of(told["landed"]), tasks_of(told["waiting"])) == (["left", "leaf"], ["top"])
    (culprit,) = told["ejected"]
    assert (culprit["task"], "left and right clash" in culprit["evidence"]) == ("right", True)
    assert "left and right clash" in quay.comments(numbers["right"])["landing"]
    assert quay.git("log", "--format=%s", "main", at=quay.origin).splitlines() == [
        f"Do leaf (#{numbers['leaf']})",
        f"Do left (#{numbers['left']})",
        "Lay out",
    ]
    # Both moved main at once.
    assert len(quay.trees_of_main()) == 1
    assert set(quay.trees_of_main()) <= quay.green_trees()
    assert quay.branches().keys() == {"right", "top"}
    rows = quay.rows()
    assert {name: row["state"] for name, row in rows.items()} == {
        "left": "landed",
        "leaf": "landed",
        "right": "needs_person",
        "top": "published",
    }
    assert "left and right clash" in rows["right"]["needs_person"]["reason"]
    again = quay.land(code=1)
    assert (tasks_of(again["ejected"]), again["checks"] <= 2) == (["right"], True), "on the base that moved"

    # A person mends the branch.
    quay.git("fetch", "-q", "origin")
    quay.git("checkout", "-q", "--detach", f"origin/{rows['right']['branch']}")
    quay.git("rm", "-q", "made-by-right.txt")
    quay.write("right.txt", "right\n")
    quay.git("add", "right.txt")
    quay.git("commit", "-q", "-m", "Get out of the way")
    quay.git("push", "-q", "origin", f"HEAD:{rows['right']['branch']}")
    assert quay.run("stack", "approve", "top", "--by", "grace").code == 0
    assert tasks_of(quay.land()["landed"]) == ["right", "top"]
    assert {row["state"] for row in quay.rows().values()} == {"landed"}
    quay.task("next", "depends_on: [leaf, top]")
    (planned,) = quay.run("plan", "--json").document["tasks"]
    assert (planned["depends_on"], planned["parents"], planned["join"]) == (["leaf", "top"], [], False)
    assert quay.branches() == {}
    assert set(quay.trees_of_main()) <= quay.green_trees()
    assert quay.run("sandbox", "list", "--json").document["sandboxes"] == []
    assert quay.run("ledger", "verify").code == 0


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_landing_is_killed_again_and_again_and_merges_nothing_twice(tmp_path: Path) -> None:
    quay, rng = Quay(tmp_path), random.Random(5)
    for name, parent in (("one", ""), ("two", "one"), ("three", "one")):
        quay.task(name, f"depends_on: [{parent}]")
    assert quay.run("run").code == 0
    killed = 0
    while True:
        process = quay.start("stack", "land", "--no-approval", "--json")
        assert process.stderr is not None
        said = [process.stderr.readline() for _ in range(rng.randint(1, 5))]
        if all(said):
            time.sleep(rng.uniform(0, 0.3))
            process.kill()
        out, err = process.communicate(timeout=120)
        if process.returncode >= 0:
            break
        killed += 1
        assert killed < 30, err
    assert (process.returncode, killed >= 2) == (0, True), (out, err)

    assert sorted(quay.git("log", "--format=%s", "main", at=quay.origin).splitlines())[:3] == [
        f"Do {name} (#{quay.rows()[name]['pull_request']['number']})" for name in ("one", "three", "two")
    ]
    assert len(quay.git("rev-list", "main", at=quay.origin).split()) == 4
    assert set(quay.trees_of_main()) <= quay.green_trees()
    assert {row["state"] for row in quay.rows().values()} == {"landed"}
    landed = [row["task_id"] for row in quay.rows_of_ledger() if row["event_type"] == "landed"]
    assert set(landed) == {"one", "two", "three"}
    assert quay.branches() == {}
    assert quay.run("sandbox", "list", "--json").document["sandboxes"] == []


class Dock(Quay):
    """A repository without `switchyard.toml`, with branches that a person made and published."""

    def __init__(self, folder: Path, branches: Mapping[str, Sequence[str]]) -> None:
        super().__init__(folder)
        self.git("rm", "-q", "switchyard.toml")
        self.commit({"kept.txt": "kept\n"})
        for name, parents in branches.items():
            self.git("checkout", "-q", "-b", name, parents[0] if parents else "main")
            self.write(f"{name}.txt", f"{name}\n")
            self.git("add", f"{name}.txt")
            self.git("commit", "-q", "-m", f"Write {name}")
        self.git("checkout", "-q", "main")
        rows = "".join(f"  {name}: [{', '.join(parents)}]\n" for name, parents in branches.items())
        self.write("stack.yaml", f"name: mine\nbase: main\nbranches:\n{rows}")
        assert self.run("stack", "publish", "stack.yaml").code == 0


@pytest.mark.slow
def test_eight_branches_of_people_land_at_once_but_for_the_one_that_is_red(tmp_path: Path) -> None:
    dock = Dock(tmp_path, {f"b{number}": [] for number in range(8)})
    refused = dock.run("stack", "land", "mine", "--json")
    assert (refused.code, "--check" in refused.error["hint"]) == (2, True)
    told = dock.land("mine", "--no-approval", "--batch", "8", "--check", "! test -e b4.txt", code=1)
    assert len(told["landed"]) == 7
    assert tasks_of(told["ejected"]) == ["b4"]
    # One for all of them, and for one culprit of eight log2(8) + 1 more.
    assert told["checks"] <= 1 + 3 + 1
    assert len(dock.trees_of_main()) == 2
    assert dock.trees_of_main()[-1] in dock.green_trees()
    assert dock.branches().keys() == {"b4"}
    assert dock.run("sandbox", "list", "--json").document["sandboxes"] == []


@pytest.mark.slow
def test_what_was_checked_on_an_older_main_is_checked_again_and_a_flake_ejects_nobody(tmp_path: Path) -> None:
    dock, flag, gate = Dock(tmp_path, {"under": [], "over": ["under"]}), tmp_path / "flag", tmp_path / "gate"
    flaky, waits = f"test -e '{flag}' || ! touch '{flag}'", f"until test -e '{gate}'; do sleep 0.1; done"
    options = ("--sandbox", "none", "--i-accept-no-isolation", "--no-approval", "--json")
    process = dock.start("stack", "land", "mine", "--check", flaky, "--check", waits, *options)
    assert process.stderr is not None
    assert b"check exited with 1" in process.stderr.readline()
    assert b"check passed" in process.stderr.readline()
    dock.commit({"meanwhile.txt": "meanwhile\n"})
    gate.touch()
    out, err = process.communicate(timeout=120)
    told = json.loads(out)
    assert (process.returncode, tasks_of(told["landed"]), told["ejected"]) == (0, ["under", "over"], []), err
    assert all(one["foreseen"] for one in told["landed"]), "checked before main moved, not after"
    assert told["checks"] == 4, "a flake, what main made stale, and each of the two"
    assert dock.git("log", "--format=%s", "-3", "main", at=dock.origin).splitlines() == [
        "Write over (#2)",
        "Write under (#1)",
        "Lay out",
    ]
    assert set(dock.trees_of_main()[-2:]) <= dock.green_trees()
