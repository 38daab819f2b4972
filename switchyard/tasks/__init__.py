"""The tracker: what is to be done and whether it may be, as people wrote it in Markdown files and plans."""

from switchyard.tasks.graph import check_tasks
from switchyard.tasks.load import load_plan, load_tasks
from switchyard.tasks.model import Allowance, Budget, SetState, Source, Task, check_task_id, content_hash
from switchyard.tasks.parse import parse_task
from switchyard.tasks.render import render_task
from switchyard.tasks.store import TaskStore

__all__ = [
    "Allowance",
    "Budget",
    "SetState",
    "Source",
    "Task",
    "TaskStore",
    "check_task_id",
    "check_tasks",
    "content_hash",
    "load_plan",
    "load_tasks",
    "parse_task",
    "render_task",
]
