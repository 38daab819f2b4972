"""A repository with its configuration and its tasks, opened once; light, since every command begins here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from switchyard_git import Repository

from switchyard.config import CONFIG_NAME, Config, load_config, parse_config
from switchyard.errors import ConfigError, TaskFileError, UsageError
from switchyard.workflow.places import Places, written

if TYPE_CHECKING:
    from switchyard_merge.forge.contract import Waiting

    from switchyard.ledger import FactoryView
    from switchyard.tasks import Task, TaskStore

STATE_FOLDER = "switchyard"


@dataclass(frozen=True)
class Workspace:
    """A repository with its configuration and its tasks; nothing has been changed yet."""

    repository: Repository
    root: Path
    """The worktree, or the git directory of a bare repository."""
    config: Config
    places: Places
    on_wait: Callable[[Waiting], None] = lambda _: None
    """Told, from any thread, before the forge is waited for."""

    def shown(self, path: Path) -> str:
        """A path as people should see it: from the top of the work tree where it lies in there."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def store(self) -> TaskStore:
        """The task files, to be edited.

        Raises:
            UsageError: There can be none here: the repository is bare, or its tasks are the forge's issues.
        """
        from switchyard.tasks import TaskStore

        if self.config.tasks.source != "files":
            raise UsageError(
                f"tasks come from '{self.config.tasks.source}' here, not from files",
                hint='change them there, or set source = "files" under [tasks]',
            )
        if self.repository.worktree is None:
            raise UsageError(f"{self.root} is bare and task files lie in a work tree", hint="run this in a clone of it")
        return TaskStore(self.root / self.config.tasks.path)

    def tasks(self, plan: Path | None = None) -> list[Task]:
        """The task files, and the plan's tasks over them.

        Raises:
            TaskFileError: With everything that is wrong in them.
        """
        from switchyard.tasks import check_tasks, load_plan, load_tasks

        files = load_tasks(self.root / self.config.tasks.path)
        if plan is None:
            return files
        planned = load_plan(plan)
        named = {task.id for task in planned}
        tasks = [task for task in files if task.id not in named] + planned
        check_tasks(tasks)
        return tasks

    def readable_tasks(self) -> tuple[list[Task], TaskFileError | None]:
        """The task files that can be read, and what is wrong with the others or between them; for looking only."""
        from switchyard.tasks import load_tasks
        from switchyard.tasks.load import read_tasks

        folder = self.root / self.config.tasks.path
        try:
            return load_tasks(folder), None
        except TaskFileError as err:
            return (read_tasks(folder)[0] if folder.is_dir() else []), err

    def with_default_agent(self, name: str) -> Workspace:
        """The same, with the [agent.NAME] table as the agent of tasks that name none.

        Raises:
            UsageError: There is no such table.
        """
        config = self.config.model_copy(update={"agent": self.config.agent_named(name)})
        return replace(self, config=config)

    def now(self) -> str:
        """The time as the ledger writes it."""
        return written(datetime.now(UTC))

    def view(self) -> FactoryView:
        """What the ledger says; empty before the first run. Safe while another process runs.

        Raises:
            LedgerBroken: Its rows were edited into what can't be read.
        """
        from switchyard.ledger import connect, fold, read_events, verify_chain

        if not self.places.database.is_file():
            return fold([])
        engine = connect(self.places.database, read_only=True)
        with engine.connect() as connection:
            try:
                view = fold(read_events(connection))
            except (KeyError, TypeError, ValueError, AttributeError):
                # Rows that make no sense were edited; where the chain holds, it is a bug.
                verify_chain(connection)
                raise
        engine.dispose()
        return view


def open_workspace(
    path: Path | None,
    *,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None = None,
    needs_config: bool = True,
) -> Workspace:
    """Find the repository and read its configuration.

    Raises:
        NotARepository, UntrustedRepository: There is none, or it belongs to somebody else.
        ConfigError: switchyard.toml is missing or wrong.
    """
    repository = Repository.open(path or Path.cwd())
    root = repository.worktree or repository.git_dir
    config = _read_config(repository, root, environ, overrides, needs_config)
    return Workspace(repository, root, config, Places(repository.common_dir / STATE_FOLDER))


def inspect_workspace(path: Path | None, *, environ: Mapping[str, str]) -> tuple[Workspace, ConfigError | None]:
    """Like `open_workspace`, for looking only: where the configuration is wrong, its defaults and what is wrong.

    Raises:
        NotARepository, UntrustedRepository: There is none, or it belongs to somebody else.
    """
    try:
        return open_workspace(path, environ=environ), None
    except ConfigError as err:
        repository = Repository.open(path or Path.cwd())
        root = repository.worktree or repository.git_dir
        config = parse_config("", root / CONFIG_NAME, environ={})
        return Workspace(repository, root, config, Places(repository.common_dir / STATE_FOLDER)), err


def record_approvals(path: Path | None, names: Sequence[str], environ: Mapping[str, str]) -> None:
    """Tell the ledger that a person approves tasks as they stand; nothing for tasks that no run has read yet.

    Raises:
        UsageError: There is no such task.
    """
    from switchyard.workflow.operating import approve_content

    workspace = open_workspace(path, environ=environ, needs_config=False)
    if not workspace.places.database.is_file():
        return
    store, view = workspace.store(), workspace.view()
    for name in names:
        approve_content(workspace.places, view, store.get(name), workspace.now())


def _read_config(
    repository: Repository,
    root: Path,
    environ: Mapping[str, str],
    overrides: Mapping[str, object] | None,
    needs_config: bool,
) -> Config:
    if repository.worktree is None:
        content = repository.read_blob("HEAD", CONFIG_NAME) if repository.refs("refs/heads") else None
        if content is not None:
            name = Path(f"HEAD:{CONFIG_NAME}")
            return parse_config(content.decode("utf-8-sig", "replace"), name, environ=environ, overrides=overrides)
    return load_config(root / CONFIG_NAME, environ=environ, overrides=overrides, must_exist=needs_config)
