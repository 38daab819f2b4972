"""Which branches land by the policy alone: those that hold what was proven, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from switchyard_git import CommitSha, Repository, Signature, TreeSha

from switchyard.ledger import Event, NewEvent, append, connect, create_tables, fold, read_events
from switchyard.ledger.events import EventType
from switchyard.workflow.clearing import Clearing

WHO = Signature(name="A", email="a@example.org", timestamp=1_700_000_000)
BRANCH = "factory/r/t"


class Ground:
    """A bare repository with a base, a proven commit on it, and the ledger of one published task."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository.init_bare(folder / "git")
        self.engine = connect(folder / "ledger.sqlite")
        create_tables(self.engine)
        self.base = self.commit({"a.txt": "1\n2\n3\n", "b.txt": "b\n"})
        self.proven = self.commit({"a.txt": "1\n2\n3\n4\n", "b.txt": "b\n"}, self.base)

    def commit(self, files: dict[str, str], *parents: CommitSha) -> CommitSha:
        blobs = {path: ("100644", self.repository.write_blob(text.encode())) for path, text in files.items()}
        tree: TreeSha = self.repository.write_tree_from(None, blobs)
        return self.repository.commit_tree(tree, parents, "change\n", author=WHO, committer=WHO)

    def tell(self, event_type: EventType, **data: object) -> None:
        with self.engine.begin() as connection:
            count = len(list(read_events(connection)))
            append(connection, NewEvent(f"k{count}", event_type, "2026-01-01T00:00:00Z", "r", "t", data=data))

    def gate(self, gate: str, outcome: str, commit: str = "") -> None:
        self.tell("gate_decided", gate=gate, outcome=outcome, commit=commit or self.proven, attempt=1)

    def publish(self) -> None:
        """Everything that a run tells of a task but for its gates and checks."""
        tasks = [
            {
                "id": "t",
                "title": "T",
                "depends_on": [],
                "parents": [],
                "content_hash": "",
                "branch": BRANCH,
                "pushed": "",
            }
        ]
        with self.engine.begin() as connection:
            data = {"base_branch": "main", "base_commit": self.base, "tasks": tasks}
            append(connection, NewEvent("s", "run_started", "2026-01-01T00:00:00Z", "r", data=data))
        self.tell("task_claimed", branch=BRANCH, content_hash="", base=self.base, base_branch="main", join="")
        self.tell("attempt_extracted", attempt=1, commit=self.proven)
        self.tell("policy_decided", attempt=1, verdict="publish", reasons=[])
        self.tell("branch_published", branch=BRANCH, head=self.proven, base_branch="main", join="")
        opened = {"number": 1, "url": "u", "state": "open", "base": "main", "head": BRANCH}
        self.tell("pull_request_opened", **opened)
        self.tell("task_finished", state="published", reason="")

    @property
    def clearing(self) -> Clearing:
        with self.engine.connect() as connection:
            events: list[Event] = list(read_events(connection))
        return Clearing(self.repository, fold(events), events)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    made = Ground(tmp_path)
    made.publish()
    return made


def prove(ground: Ground) -> None:
    ground.tell("check_passed", name="unit", commit=ground.proven, attempt=1)
    ground.gate("weakening", "not_applicable")
    ground.gate("verifiers", "passed")


def test_what_checks_and_reviewers_passed_is_cleared(ground: Ground) -> None:
    prove(ground)
    assert ground.clearing(BRANCH, ground.proven, ground.base)


def test_the_same_change_on_a_newer_base_is_cleared(ground: Ground) -> None:
    prove(ground)
    newer = ground.commit({"a.txt": "1\n2\n3\n", "b.txt": "c\n"}, ground.base)
    moved = ground.commit({"a.txt": "1\n2\n3\n4\n", "b.txt": "c\n"}, newer)
    assert ground.clearing(BRANCH, moved, newer)


def test_a_change_that_a_person_went_on_with_is_not(ground: Ground) -> None:
    prove(ground)
    on_top = ground.commit({"a.txt": "1\n2\n3\n4\n5\n", "b.txt": "b\n"}, ground.proven)
    instead = ground.commit({"a.txt": "1\n2\n3\n5\n", "b.txt": "b\n"}, ground.base)
    assert not ground.clearing(BRANCH, on_top, ground.base)
    assert not ground.clearing(BRANCH, instead, ground.base)
    assert not ground.clearing("factory/r/other", ground.proven, ground.base)


@pytest.mark.parametrize(
    ("before", "proven", "pushed"),
    [
        ("if a:\n    b\n", "if a:\n    b\n    c\n", "if a:\n    b\nc\n"),
        ("{\n}\n\n\n{\n}\n", "{\n!\n}\n\n\n{\n}\n", "{\n}\n\n\n{\n!\n}\n"),
        ("a\n", "a\nb c\n", "a\nbc\n"),
    ],
    ids=["indented otherwise", "in another place", "run together"],
)
def test_a_change_that_only_a_patch_id_takes_for_the_proven_one_is_not(
    tmp_path: Path, before: str, proven: str, pushed: str
) -> None:
    ground = Ground(tmp_path)
    ground.base = ground.commit({"a.py": before})
    ground.proven = ground.commit({"a.py": proven}, ground.base)
    ground.publish()
    prove(ground)
    assert ground.clearing(BRANCH, ground.proven, ground.base)
    assert not ground.clearing(BRANCH, ground.commit({"a.py": pushed}, ground.base), ground.base)


def test_a_change_that_does_not_fit_its_new_base_is_not(ground: Ground) -> None:
    prove(ground)
    newer = ground.commit({"a.txt": "1\n2\n7\n", "b.txt": "b\n"}, ground.base)
    assert not ground.clearing(BRANCH, ground.commit({"a.txt": "1\n2\n7\n4\n", "b.txt": "b\n"}, newer), newer)


@pytest.mark.parametrize("missing", ["check", "reviewer", "held"])
def test_what_was_not_proven_is_not(ground: Ground, missing: str) -> None:
    if missing != "check":
        ground.tell("check_passed", name="unit", commit=ground.proven, attempt=1)
    ground.gate("verifiers", "not_applicable" if missing == "reviewer" else "passed")
    ground.gate("content", "failed" if missing == "held" else "passed")
    assert not ground.clearing(BRANCH, ground.proven, ground.base)
