"""What an agent found, as a draft that a person may approve: foreign text that stays inert in its task file."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from switchyard.packets import Discovery, TaskId
from switchyard.quoting import block, code
from switchyard.tasks.likeness import Gist, find_twin
from switchyard.tasks.load import read_tasks
from switchyard.tasks.model import Task
from switchyard.tasks.store import TaskStore

LABEL = "discovered"
_TITLE_CHARS = 120
_SLUG_CHARS = 40
_PATH_CHARS = 300
_TARGETS = 20


def draft_of(finding: Discovery, found_by: TaskId | None, mark: str) -> Task:
    """The draft of a finding.

    Args:
        finding: What the agent said; nothing of it is believed.
        found_by: The task that it worked on; None: none of ours.
        mark: Tells this finding from every other, and is the same whenever it is filed again.
    """
    title = plain_line(finding.title) or "Something was found"
    said = block(_shown(f"{finding.title}\n\n{finding.detail}".strip()))
    files = [f"- {code(_shown(path)[:_PATH_CHARS])}" for path in finding.paths]
    named = ["", "It names these files:", "", *files] if files else []
    who = f"The agent that worked on {code(found_by)}" if found_by else "An agent"
    body = "\n".join([f"{who} says, unproven:", "", said, *named, ""])
    return Task(
        id=_draft_id(title, mark),
        title=title,
        targets=tuple(dict.fromkeys(path for path in finding.paths if len(path) <= _PATH_CHARS and _is_inside(path)))[
            :_TARGETS
        ],
        labels=(LABEL,),
        discovered_from=found_by or "",
        body=body,
    )


def file_finding(store: TaskStore, finding: Discovery) -> tuple[TaskId, bool]:
    """File one finding outside of any run: its draft, or the task that says the same, and whether it is new.

    Raises:
        UsageError: It can't be written.
    """
    tasks, _ = read_tasks(store.folder)
    twin = find_twin(gist_of_finding(finding), [gist_of_task(one.title, one.body, one.targets) for one in tasks])
    if twin is not None:
        return tasks[twin].id, False
    draft = draft_of(finding, None, finding.model_dump_json())
    return draft.id, store.file_draft(draft)


def gist_of_finding(finding: Discovery) -> Gist:
    """What a finding is about."""
    return Gist.of(finding.title, finding.detail, finding.paths)


def gist_of_task(title: str, body: str, targets: Sequence[str]) -> Gist:
    """What a task is about."""
    return Gist.of(title, body, targets)


def plain_line(text: str) -> str:
    """Foreign text as one printable line, cut where it is long."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    flat = " ".join(shown.split())
    return flat if len(flat) <= _TITLE_CHARS else f"{flat[: _TITLE_CHARS - 1]}…"


def _draft_id(title: str, mark: str) -> TaskId:
    """The title's first words and a hash of the mark; no id that a person or an agent could have meant to take."""
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", ascii_title.lower())
    slug = "-".join(words)[:_SLUG_CHARS].strip("-") or "finding"
    slug = f"found-{slug}" if slug.startswith("join") else slug
    return TaskId(f"{slug}-{hashlib.sha256(mark.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}")


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return path.isprintable() and bool(path.strip()) and not pure.is_absolute() and ".." not in pure.parts


def _shown(text: str) -> str:
    """What a terminal would act upon, and what no file of ours holds, stands escaped."""
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else sign.encode("unicode_escape").decode("ascii")
        for sign in text.replace("\r\n", "\n")
    )
