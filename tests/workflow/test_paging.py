"""The page of a pull request is made of what the commit, the import graph, the ledger and the rules say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from gates.samples import a_check
from switchyard_git import CommitSha

from switchyard.config import ReviewConfig
from switchyard.gates.page import Account
from switchyard.ledger import Event
from switchyard.packets import Proof
from switchyard.workflow.paging import account_of, write_page
from workflow.conftest import Yard

PROOF = Proof(checks=(a_check(),))
BASE = {
    "auth/token.py": "SECRET = 1\n",
    "shop/money.py": "import auth.token\n",
    "tests/test_money.py": "import shop.money\n",
    **{f"shop/user{n}.py": "import shop.money\n" for n in range(6)},
}


def page_of(yard: Yard, edits: dict[str, str | None], *rows: Event, watched: tuple[str, ...] = ()) -> str:
    config = yard.factory.config.model_copy(update={"review": ReviewConfig(escalate_paths=watched)})
    factory = replace(yard.factory, config=config)
    base = yard.commit(yard.base, dict(BASE))
    head = yard.commit(base, edits)
    page = write_page(factory, yard.ground(base), head, PROOF, [replace(row, data=told(row, head)) for row in rows])
    assert factory.artifacts.get(page.whole).decode() == page.text
    return page.text


def told(row: Event, head: CommitSha) -> dict[str, Any]:
    return {**row.data, "commit": head}


def extracted(artifact: str, agent: str = "claude") -> Event:
    data = {"commit": "c", "result": {"artifact": artifact}}
    return Event(1, "k", "r1", "t", agent, "attempt_extracted", "2026-01-01T00:00:00Z", "", data, "", "")


def test_files_are_told_by_who_imports_them_and_which_tests_reach_them(yard: Yard) -> None:
    page = page_of(yard, {"shop/money.py": "import auth.token\nX = 1\n", "shop/lonely.py": "Y = 2\n", "x.rb": "z\n"})
    assert "`shop/money.py` is imported by 7 files" in page
    assert "- no test reaches `shop/lonely.py` through imports" in page
    assert "- the language of `x.rb` is not read" in page
    assert "| `shop/` | 2 | +2 | −0 |" in page


def test_a_watched_file_and_its_neighbours_make_a_change_risky(yard: Yard) -> None:
    edit: dict[str, str | None] = {"shop/money.py": "import auth.token\nX = 1\n"}
    assert page_of(yard, edit, watched=("auth/**",)).startswith("**Risk: high** (`shop/money.py` is, imports or is")
    assert page_of(yard, edit).startswith("**Risk: medium** (")


def test_what_is_gone_or_no_text_is_told_without_lines(yard: Yard) -> None:
    page = page_of(yard, {"shop/user1.py": None, "logo.png": "\0\0"})
    assert page.startswith("**Risk: low** (1 line in 2 files")


def test_the_agents_account_is_that_of_the_attempt_that_made_the_commit(yard: Yard) -> None:
    left = {"summary": "Did it.", "rationale": "As asked.", "confidence": 0.5, "discovered": []}
    artifact = yard.factory.artifacts.put(json.dumps(left).encode())
    page = page_of(yard, {"a": "x\n"}, extracted(artifact))
    assert (
        "The agent `claude` says, with a confidence of 50%, which proves nothing:\n\n> Did it.\\\n> As asked." in page
    )


def test_without_an_account_that_can_be_read_there_is_none(yard: Yard) -> None:
    artifacts = yard.factory.artifacts
    bad, lost = artifacts.put(b"{"), artifacts.put(b"lost")
    artifacts.path(lost).unlink()
    head = CommitSha("c")
    assert account_of(artifacts, [], head) is None
    assert account_of(artifacts, [extracted(bad)], head) is None
    assert account_of(artifacts, [extracted(lost)], head) is None
    good = artifacts.put(b'{"summary": "s"}')
    assert account_of(artifacts, [extracted(good)], CommitSha("d")) is None
    assert account_of(artifacts, [extracted(good)], head) == Account("s", "", None, "claude")
