"""`review.auto_merge`: what every check, gate and reviewer passed lands at the end of the run; all else waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from end_to_end.plot import CONFIG, Plot

pytestmark = pytest.mark.sandbox
JUDGE = """\
set -eu
verdict=pass
if test -e doubtful.txt; then verdict=unsure; fi
printf '{"schema": "switchyard.qa/1", "verdict": "%s", "summary": "Read."}' "$verdict" > ~/result.json
"""
RULES = """\
[review]
auto_merge = true
[agent.judge]
command = ["sh", ".agents/judge.sh"]
[verify]
quality = "judge"
canaries_per_run = 0
"""
AGENTS = {
    "charge": "mkdir -p payments; echo 1 > payments/charge.txt",
    "doubtful": "echo 1 > doubtful.txt",
}


@pytest.mark.slow
def test_what_everything_passed_lands_by_itself_and_the_rest_waits_for_a_person(tmp_path: Path) -> None:
    config = CONFIG.replace("[limits]", f"{RULES}[limits]")
    plot = Plot(tmp_path, AGENTS, {"switchyard.toml": config, ".agents/judge.sh": JUDGE})
    plot.task("plain")
    plot.task("upon-it", "depends_on: [plain]")
    plot.task("charge")
    plot.task("doubtful")
    assert plot.run("run").code == 1
    rows = plot.rows()
    states = {"plain": "landed", "upon-it": "landed", "charge": "needs_person", "doubtful": "needs_person"}
    assert {name: row["state"] for name, row in rows.items()} == states
    assert "payments" in rows["charge"]["needs_person"]["reason"]
    assert "unsure" in rows["doubtful"]["needs_person"]["reason"]
    log = plot.git("log", "--format=%s", "main", at=plot.origin).splitlines()
    assert [line.partition(" (")[0] for line in log] == ["Do upon-it", "Do plain", "Lay out"]


@pytest.mark.nightly
@pytest.mark.parametrize("landing", ["", "[landing]\nneeds_approval = false\n"], ids=["", "no approval needed"])
def test_without_a_reviewer_nothing_lands_by_itself(tmp_path: Path, landing: str) -> None:
    rules = RULES.replace('quality = "judge"', "") + landing
    plot = Plot(tmp_path, files={"switchyard.toml": CONFIG.replace("[limits]", f"{rules}[limits]")})
    plot.task("plain")
    assert plot.run("run").code == 0
    assert plot.rows()["plain"]["state"] == "published"
    assert plot.git("log", "--format=%s", "main", at=plot.origin).splitlines() == ["Lay out"]
