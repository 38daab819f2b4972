"""Blind reviewers in whole runs: what they see, what becomes of the change, and how canaries try them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from end_to_end.plot import CONFIG, Ending, Plot
from switchyard.gates.verdicts import check_seals
from switchyard.ledger import ArtifactStore, Event, connect, read_events

pytestmark = pytest.mark.sandbox
VERIFY = """\
[agent.mild]
command = ["sh", ".judges/mild.sh"]
[agent.strict]
command = ["sh", ".judges/strict.sh"]
[agent.twin]
command = ["sh", ".agents/work.sh", "{task_id}"]
[verify]
quality = "mild"
security = "strict"
minutes = 0.2
canaries_per_run = 0
"""
SAY = """say() { echo '{"verdict": "'$1'", "summary": "'"$2"'"}' > ~/result.json; }
asked() { grep -q "$1" "$SWITCHYARD_PROMPT_FILE"; }
flat() { tr '\\n' ' '; }
"""
MILD = f"""{SAY}
if asked ^NOISY; then echo '{{"verdict": "perhaps"}}' > ~/result.json
elif asked ^SILENT; then rm -f ~/result.json
elif asked ^FAILING; then say pass "Fine."; exit 3
elif asked ^BOTH; then say fail "No."
else
    say pass "$(cat ~/seen 2>/dev/null || ls -A . .. ~ /switchyard | flat)"
    echo mine > ~/seen; echo mine > seen.txt
fi
"""
STRICT = f"""{SAY}
if asked ^SPLIT || asked ^BOTH; then say fail "It breaks."
elif asked ^UNSURE; then say unsure "Who knows."
else
    seen="$(cat made-by-*.txt | flat)|$(env | grep ^SWITCHYARD | flat)"
    say pass "$seen|$(git log --format=%s%b | flat)|$(ls | flat)"
fi
"""
BRIBE = """
echo '{"summary": "SECRET REASONS", "confidence": 1}' > ~/result.json
echo "$1" > "made-by-$1.txt"
echo 'echo BRIBED > ~/result.json' > .judges/strict.sh
"""


class Court(Plot):
    """A plot with reviewers."""

    def rows_of(self, task: str = "") -> list[Event]:
        """The ledger's rows of a task, or all."""
        with connect(self.state / "switchyard.db", read_only=True).connect() as connection:
            return list(read_events(connection, task_id=task or None))

    def gate(self, task: str) -> dict[str, Any]:
        """What the gate said of a task last."""
        return [dict(row.data) for row in self.rows_of(task) if row.data.get("gate") == "verifiers"][-1]

    def said(self, task: str) -> str:
        """Its reason, without the programs that the judges are."""
        return re.sub(r" by `[^`]*`", "", str(self.gate(task)["reason"]))

    def verdicts(self, task: str) -> dict[str, dict[str, Any]]:
        """By reviewer, the last revealed document."""
        rows = [row for row in self.rows_of(task) if row.event_type == "verdict_revealed"]
        store = ArtifactStore(self.state / "artifacts")
        return {row.data["reviewer"]: json.loads(store.get(row.artifact_reference)) for row in rows}

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.repo / ".git" / "switchyard"


def a_court(folder: Path, verify: str = VERIFY, judges: Mapping[str, str] | None = None, **agents: str) -> Court:
    judges = judges or {"mild": MILD, "strict": STRICT}
    files = {f".judges/{name}.sh": text for name, text in judges.items()}
    return Court(folder, agents, {"switchyard.toml": CONFIG.replace("[sandbox]", f"{verify}[sandbox]"), **files})


@pytest.mark.slow
def test_what_reviewers_say_decides_what_becomes_of_a_change(tmp_path: Path) -> None:
    court = a_court(tmp_path)
    for name in ("fine", "split", "unsure", "both", "noisy", "silent", "failing"):
        court.task(name, body=f"{name.upper()}: do it.")
    assert court.run("run").code == 1
    rows = court.rows()
    assert {name for name, row in rows.items() if row["state"] == "published"} == {"fine"}
    assert {row["state"] for row in rows.values()} == {"published", "needs_person"}
    said = {name: court.said(name) for name in rows}
    assert said == {
        "fine": "quality pass, security pass",
        "split": "split: quality pass, security fail",
        "unsure": "split: quality pass, security unsure",
        "both": "quality fail, security fail",
        "noisy": "split: quality none, security pass",
        "silent": "split: quality none, security pass",
        "failing": "split: quality none, security pass",
    }
    assert {finding["asks"] for finding in court.gate("both")["findings"]} == {"repair"}
    reasons = {name: court.verdicts(name)["quality"]["reason"] for name in ("noisy", "silent", "failing")}
    assert "verdict: Input should be 'pass', 'fail' or 'unsure'" in reasons["noisy"]
    assert "there is no such file" in reasons["silent"]
    assert reasons["failing"] == "ended with exit code 3"
    store = ArtifactStore(court.state / "artifacts")
    assert check_seals(court.rows_of(), store.get) == []
    assert court.run("ledger", "verify").code == 0
    assert court.run("sandbox", "list", "--json").document["sandboxes"] == []


@pytest.mark.slow
def test_a_reviewer_sees_the_change_and_nothing_of_others_or_of_its_maker(tmp_path: Path) -> None:
    court = a_court(tmp_path, bribing=BRIBE)
    court.commit({".switchyard/tasks/other.md": "---\nid: other\ntitle: OTHER TASK\nstate: draft\n---\nX\n"})
    court.task("bribing", "allow: [protected]", body="Do it.")
    assert court.run("run").code == 0, court.verdicts("bribing")
    quality, security = court.verdicts("bribing")["quality"], court.verdicts("bribing")["security"]
    assert court.changes("bribing") == ["M .judges/strict.sh", "A made-by-bribing.txt"]
    seen = quality["result"]["summary"]
    assert "kept.txt" in seen
    assert ".switchyard" not in seen
    assert "mine" not in seen
    work, variables, history, files = security["result"]["summary"].split("|")
    assert "seen.txt" not in files
    # The change came with another script for the reviewer: the base's own ran.
    assert work.strip() == "bribing"
    assert "SWITCHYARD_ATTEMPT=1 " in variables
    assert "SECRET" not in json.dumps([quality, security])
    assert "Attempt" not in history


@pytest.mark.nightly
def test_nobody_judges_its_own_work_and_a_task_may_name_its_judge(tmp_path: Path) -> None:
    court = a_court(tmp_path, VERIFY.replace('security = "strict"', "").replace('quality = "mild"', 'quality = "twin"'))
    court.task("own")
    court.task("other", "review_agent: mild")
    court.run("run")
    rows = court.rows()
    assert (rows["own"]["state"], rows["other"]["state"]) == ("needs_person", "published")
    assert "it is the builder under another name" in rows["own"]["needs_person"]["reason"]
    assert court.said("other") == "quality pass"


@pytest.mark.nightly
def test_a_reviewer_that_passes_a_canary_does_not_count_until_it_catches_it(tmp_path: Path) -> None:
    canaries = VERIFY.replace("canaries_per_run = 0", "canaries_per_run = 1")
    honest = f"""{SAY}
if asked "paging.py" || asked "discount.rs" || asked "latency.ts"; then say fail "No."; else say pass "Yes."; fi
"""
    lax = f"""{SAY}
say pass "Fine."
"""
    court = a_court(tmp_path, canaries, {"mild": honest, "strict": lax})
    court.task("first")
    assert court.run("run").code == 0
    gate = court.gate("first")
    assert court.said("first") == "quality pass"
    (_, told) = gate["findings"]
    passed = "it passed canary `security-attachment-path`, which has a known fault"
    assert told["title"] == f"security reviewer (`strict`) does not count: {passed}"
    (failed,) = [row for row in court.rows_of() if row.event_type == "canary_failed"]
    assert (failed.data["reviewer"], failed.data["verdict"]) == ("security", "pass")
    line = {line["name"]: line for line in court.run("doctor", "--json").document["environment"]}["verifier security"]
    assert (line["ok"], passed in line["detail"]) == (False, True)

    tried: Ending = court.run("canary", "run", "security", "--due", "--json")
    assert (tried.code, tried.document["tried"][0]["canary"]) == (1, "security-attachment-path")
    standing = {one["reviewer"]: one for one in court.run("canary", "list", "--json").document["reviewers"]}
    assert (standing["quality"]["counts"], standing["security"]["counts"]) == (True, False)

    stern = f"""{SAY}
case "$(grep ^Title: "$SWITCHYARD_PROMPT_FILE")" in
*Do\\ *|*Cells*|*Lookups*|*durations*) say pass "Yes." ;;
*) say fail "No." ;;
esac
"""
    court.commit({".judges/strict.sh": stern})
    assert court.run("canary", "run", "security", "-q").code == 0
    court.task("second")
    court.run("run", "second")
    assert court.said("second") == "quality pass, security pass"
