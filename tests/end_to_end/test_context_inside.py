"""`switchyard context` inside a sandbox, called by the agent of a real run, and what the ledger says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from end_to_end.plot import Plot
from switchyard.agents.command import PLACEHOLDERS
from switchyard.cli.inside import ASSIGNMENT

pytestmark = pytest.mark.sandbox

FILES = {
    "src/shop/__init__.py": "",
    "src/shop/money.py": "def cents(amount):\n    return round(amount * 100)\n",
    "src/shop/basket.py": "from shop.money import cents\n\n\ndef total(prices):\n    return sum(map(cents, prices))\n",
    "src/shop/stock.py": "COUNT = 3\n",
    "tests/test_basket.py": "from shop.basket import total\n\n\ndef test_total():\n    assert total([1]) == 100\n",
    "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n",
}
ASKING = """\
printf 'from shop.basket import total\\n\\n\\ndef bill(prices):\\n    return total(prices)\\n' > src/shop/bill.py
switchyard context --seed src/shop/bill.py --json > seed.json
readlink .git/switchyard/cache/trees/* | cut -d- -f1 | sort > links.txt
echo poison > "$(readlink -f .git/switchyard/cache/trees/* | grep /opt/ | head -n 1)" || echo refused > refused.txt
switchyard context tests src/shop/money.py > tests.txt
switchyard context impact src/shop/money.py > impact.txt
switchyard context why src/shop/bill.py src/shop/money.py > why.txt
switchyard context graph --json > graph.json
switchyard context --text 'count of the stock' --format markdown > text.md
switchyard run > run.txt 2>&1 || echo "exit $?" >> run.txt
cat src/shop/stock.py > /dev/null
echo 'COUNT = 4' > src/shop/stock.py
"""


def finished(plot: Plot, task: str) -> dict[str, Any]:
    """The data of the task's last row."""
    rows = plot.run("ledger", "tail", "--json", "-n", "1000").events
    found = [row["data"] for row in rows if (row["event_type"], row["task_id"]) == ("task_finished", task)]
    return dict(found[-1])


@pytest.mark.nightly
def test_an_agent_asks_for_context_on_the_tree_as_it_has_changed_it(tmp_path: Path) -> None:
    plot = Plot(tmp_path, {"ask": ASKING}, FILES)
    plot.task("ask", "targets: [src/shop/basket.py]", body="Bill what is in the basket.")
    assert plot.run("run").code == 0
    branch = plot.branches()["ask"]

    def left(name: str) -> str:
        return plot.git("show", f"{branch}:{name}", at=plot.origin)

    seed = json.loads(left("seed.json"))
    assert seed["revision"].endswith("+dirty")
    assert [item["path"] for item in seed["files"]][:2] == ["src/shop/bill.py", "src/shop/basket.py"]
    data = "/opt/switchyard/data/switchyard/trees"
    assert left("links.txt") == f"{data}/state\n{data}/terms\n", "it starts from what the host knows of the base"
    assert left("refused.txt") == "refused\n"
    assert left("tests.txt") == "tests/test_basket.py\n"
    assert left("impact.txt").splitlines() == ["src/shop/basket.py", "src/shop/bill.py", "tests/test_basket.py"]
    assert "imports src/shop/money.py" in left("why.txt").splitlines()[-1]
    assert "src/shop/bill.py" in json.loads(left("graph.json"))["files"]
    assert "COUNT = 3" in left("text.md")
    assert left("run.txt").splitlines()[0] == "error: there is no `switchyard run` in a sandbox"
    assert left("run.txt").splitlines()[-1] == "exit 2"


@pytest.mark.slow
def test_the_ledger_says_which_selected_files_were_read_and_what_was_changed_besides(tmp_path: Path) -> None:
    work = (
        "cat src/shop/money.py > /dev/null; echo '# more' >> src/shop/basket.py; echo 'no' > kept.txt; echo > new.py\n"
    )
    plot = Plot(tmp_path, {"edit": work}, FILES)
    plot.task("edit", "targets: [src/shop/basket.py]", body="Mind the basket.")
    assert plot.run("run").code == 0
    use = finished(plot, "edit")["context"]
    assert use["read"] == ["src/shop/basket.py", "src/shop/money.py"]
    assert use["changed"] == ["kept.txt", "src/shop/basket.py"]
    assert (use["created"], use["unselected"], use["unseen"]) == (["new.py"], ["kept.txt"], "")
    assert use["counts"] == {"changed": 2, "changed_selected": 1, "used": 2}


def test_sandbox_run_has_the_command_too_and_nothing_of_the_host_but_that(tmp_path: Path) -> None:
    plot = Plot(tmp_path, files=FILES)
    script = (
        "switchyard context tests src/shop/money.py; "
        "ls /opt/switchyard/lib/python3.*/site-packages | grep -c -e dbos -e sqlalchemy -e pytest -e dist-info; true"
    )
    ending = plot.run("sandbox", "run", "--", "sh", "-c", script)
    assert (ending.code, ending.out) == (0, "tests/test_basket.py\n0\n")


def test_what_an_agent_is_told_by_variables_is_no_configuration() -> None:
    assert {name.upper() for name in PLACEHOLDERS} == set(ASSIGNMENT)


def test_without_isolation_the_command_is_there_as_well(tmp_path: Path) -> None:
    plot = Plot(tmp_path, files=FILES)
    options = ("--sandbox", "none", "--i-accept-no-isolation")
    ending = plot.run("sandbox", "run", *options, "--", "switchyard", "context", "tests", "src/shop/money.py")
    assert (ending.code, ending.out) == (0, "tests/test_basket.py\n")
