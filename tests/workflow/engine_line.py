"""A small durable line for the engine's tests, run as a program of its own: DBOS is one a process, and gets killed.

`python engine_line.py FOLDER SCENARIO [KILL]` works in FOLDER; every body that runs adds a line to FOLDER/bodies.
With KILL, the process kills itself at that place the first time it comes there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from switchyard.ledger import NewEvent, append
from switchyard.workflow.engine import Engine

folder, scenario = Path(sys.argv[1]), sys.argv[2]
kill = sys.argv[3] if len(sys.argv) > 3 else ""
engine = Engine(folder / "line.db")


def note(line: str) -> None:
    with (folder / "bodies").open("a") as file:
        file.write(f"{line}\n")


def die_at(place: str) -> None:
    if place == kill:
        os.kill(os.getpid(), signal.SIGKILL)


def write(connection: sa.Connection, key: str) -> None:
    note(f"transaction {key}")
    append(connection, NewEvent(key=key, event_type="task_claimed", timestamp="now", run_id="run"))
    die_at(f"in transaction {key}")


def body(name: str, value: Any) -> Any:
    note(f"step {name}")
    die_at(f"in step {name}")
    return {"value": value}


def line(argument: Any) -> Any:
    engine.transaction("one", lambda connection: write(connection, "one"))
    die_at("between one and step")
    answer = engine.step("work", lambda: body("work", argument["n"] + 1))
    die_at("between step and two")
    engine.transaction("two", lambda connection: write(connection, "two"))
    die_at("after two")
    return answer


def child(argument: Any) -> Any:
    engine.step("nap", lambda: time.sleep(argument["naps"]))
    note(f"child {argument['name']}")
    return argument["name"]


def parent(argument: Any) -> Any:
    """Waits for its children in the order in which they end, with a kill after the first."""
    running = {f"child-{name}": naps for name, naps in argument.items()}
    for name, naps in running.items():
        engine.enqueue("child", name, {"name": name, "naps": naps})
    order = []
    while running:
        ended = engine.wait_first(sorted(running))
        running.pop(ended)
        order.append(ended)
        note(f"order {' '.join(order)}")
        die_at(f"after {len(order)}")
    return order


def failing(argument: Any) -> Any:
    def fail() -> Any:
        note("step fail")
        raise ValueError(argument["why"])

    return engine.step("fail", fail)


def unlucky(argument: Any) -> Any:
    """Fails outside a step, then inside one, as long as FOLDER says so."""
    engine.transaction("before", lambda connection: write(connection, "before"))
    if (folder / "fail outside").exists():
        raise OSError("outside")

    def work() -> Any:
        if (folder / "fail inside").exists():
            raise OSError("inside")
        return body("work", 1)

    answer = engine.step("work", work)
    engine.transaction("after", lambda connection: write(connection, "after"))
    return answer


def abandoned(argument: Any) -> Any:
    engine.transaction("before", lambda connection: write(connection, "before"))
    started.set()
    engine.step("long", lambda: body("long", leave.wait() and 1))
    engine.transaction("after", lambda connection: write(connection, "after"))


def noting(argument: Any) -> Any:
    def work() -> None:
        started.set()
        leave.wait()
        engine.write(lambda connection: write(connection, "from inside a step"))

    engine.step("note", work)


def many(argument: Any) -> Any:
    for number in range(60):
        key = f"{argument['name']}-{number}"
        engine.transaction(key, lambda connection, key=key: write(connection, key))
    return "done"


started, leave = threading.Event(), threading.Event()
WORKFLOWS = {
    "line": line,
    "parent": parent,
    "child": child,
    "failing": failing,
    "unlucky": unlucky,
    "abandoned": abandoned,
    "noting": noting,
    "many": many,
}
ARGUMENTS: dict[str, Any] = {
    "line": {"n": 41},
    "parent": {"slow": 0.8, "fast": 0.05, "middle": 0.4},
    "failing": {"why": "no such luck"},
    "many": {"name": "engine"},
}


def leave_in_the_middle() -> None:
    """As an interrupt does: abandon, let the step come back, end without a word."""
    started.wait()
    engine.abandon()
    leave.set()
    time.sleep(0.5)
    os._exit(0)


def main() -> None:
    for name, workflow in WORKFLOWS.items():
        engine.add(name, workflow)
    with engine.opened(concurrency=3):
        if scenario == "unlucky":
            engine.revive(scenario)
        engine.start(scenario, scenario, ARGUMENTS.get(scenario, {}))
        engine.start(scenario, scenario, {"n": "a second start changes nothing"})
        if kill == "leave":
            leave_in_the_middle()
        leave.set()
        try:
            answer = engine.result(scenario)
        except Exception as err:
            answer = {"raised": str(err)}
        print(json.dumps({"answer": answer, "ended": engine.ended(scenario), "exists": engine.exists("other")}))


main()
