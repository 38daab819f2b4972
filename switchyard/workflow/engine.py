"""The durable engine: workflows, steps and transactions on DBOS. No other module knows DBOS."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, PortableWorkflowError, SetWorkflowID, SQLAlchemyDatasource, WorkflowHandle
from dbos._serialization import DBOSPortableJSON

from switchyard.ledger import create_tables, touch_head
from switchyard.workflow.storage import is_locked

APPLICATION_VERSION = "1"
"""The epoch of the workflows' shape. Raise it only when recorded steps can no longer be replayed."""
QUEUE = "tasks"
POLL_S = 0.03
FAULT_GRACE_S = 5.0
"""How long a workflow's error may take to become the run's own end, before the run is ended from outside."""
PROBE_S = 1.0
RECOVERIES = 1_000_000
"""A crash never uses up a workflow: it is picked up again however often the machine dies."""

Json = Any
T = TypeVar("T")
Workflow = Callable[[Json], Json]


class Engine:
    """Runs named workflows whose steps are recorded; one per process, inside `opened`."""

    def __init__(self, database: Path) -> None:
        self._url = sa.URL.create("sqlite", database=str(database)).render_as_string()
        self._workflows: dict[str, Workflow] = {}
        self._data: SQLAlchemyDatasource | None = None
        self._abandoned = threading.Event()
        self._fault: tuple[float, Exception] | None = None
        self._left: dict[str, float] = {}
        """Workflow → when its function was left; what came of it is recorded after that."""
        self._probed = time.monotonic()

    def add(self, name: str, workflow: Workflow) -> None:
        """Register a workflow of one JSON argument; before `opened`."""
        self._workflows[name] = workflow

    @contextmanager
    def opened(self, *, concurrency: int) -> Iterator[Engine]:
        """Launch: what an earlier process left pending goes on at once, under the same ids."""
        config = DBOSConfig(
            name="switchyard",
            system_database_url=self._url,
            application_version=APPLICATION_VERSION,
            executor_id="local",
            log_level="CRITICAL",
            serializer=DBOSPortableJSON,
            notification_listener_polling_interval_sec=POLL_S,
        )
        DBOS(config=config)
        try:
            self._launch(concurrency)
            yield self
        finally:
            DBOS.destroy(destroy_registry=True)

    def _launch(self, concurrency: int) -> None:
        self._data = SQLAlchemyDatasource.create(self._url, serializer=DBOSPortableJSON)
        create_tables(self._data.engine)
        self._workflows = {
            name: DBOS.workflow(name=name, max_recovery_attempts=RECOVERIES)(self._watched(function))
            for name, function in self._workflows.items()
        }
        DBOS.launch()
        DBOS.register_queue(
            QUEUE, worker_concurrency=concurrency, polling_interval_sec=POLL_S, on_conflict="always_update"
        )

    def _watched(self, function: Workflow) -> Workflow:
        def run(argument: Json) -> Json:
            self._left.pop(str(DBOS.workflow_id), None)
            try:
                return function(argument)
            except PortableWorkflowError:
                # Recorded before, by this process or an earlier one: whoever raised it first was heard then.
                raise
            except Exception as err:
                self._fault = self._fault or (time.monotonic(), err)
                raise
            finally:
                self._left[str(DBOS.workflow_id)] = time.monotonic()

        return run

    def check(self) -> None:
        """Raise what keeps the line from going on, which DBOS can't say where it can't write: look in every so often.

        Raises:
            Exception: What a workflow raised first, some time after it did.
            OperationalError: The database can't be written; a lock of another process is waited for.
        """
        now = time.monotonic()
        if self._fault is not None and now - self._fault[0] > FAULT_GRACE_S:
            raise self._fault[1]
        self._check_ends(now)
        if now - self._probed > PROBE_S:
            try:
                self._write(touch_head)
            except sa.exc.OperationalError as err:
                if not is_locked(err):
                    raise
            self._probed = time.monotonic()

    def _check_ends(self, now: float) -> None:
        """An end that could not be written, on a full disk say, would be waited for without end."""
        for workflow_id, left in list(self._left.items()):
            if now - left > FAULT_GRACE_S:
                if not self.ended(workflow_id):
                    raise RuntimeError(f"the end of {workflow_id} could not be recorded")
                del self._left[workflow_id]

    def start(self, name: str, workflow_id: str, argument: Json) -> None:
        """Start a workflow; one that exists under the id is left as it is."""
        with SetWorkflowID(workflow_id):
            DBOS.start_workflow(self._workflows[name], argument)

    def enqueue(self, name: str, workflow_id: str, argument: Json) -> None:
        """Queue a workflow; it starts when a slot is free. From inside a workflow only."""
        with SetWorkflowID(workflow_id):
            DBOS.enqueue_workflow(QUEUE, self._workflows[name], argument)

    def wait_first(self, workflow_ids: Sequence[str]) -> str:
        """The id of the first of these to end; recorded, so a replay sees the same order."""
        handles = [_handle(workflow_id) for workflow_id in workflow_ids]
        return DBOS.wait_first(handles, polling_interval_sec=POLL_S).workflow_id

    def result(self, workflow_id: str) -> Json:
        """Wait for a workflow's end and return what it returned, or raise what it raised."""
        return _handle(workflow_id).get_result(polling_interval_sec=POLL_S)

    def outcome(self, workflow_id: str) -> Json:
        """As `result`, from outside any workflow; an error is the first one of this process, as it was raised."""
        try:
            return self.result(workflow_id)
        except Exception as err:
            if self._fault is not None:
                raise self._fault[1] from err
            raise

    def revive(self, workflow_id: str) -> bool:
        """Let a workflow that ended in an error go on from the step that failed; whether there was one.

        A full disk or a bug ends a workflow for good as far as DBOS knows; what it had recorded still stands.
        """
        self._left.pop(workflow_id, None)
        status = DBOS.get_workflow_status(workflow_id)
        if status is None or status.status != "ERROR":
            return False
        steps = DBOS.list_workflow_steps(workflow_id)
        failed = [step["function_id"] for step in steps if step["error"] is not None]
        beyond = max((step["function_id"] for step in steps), default=0) + 1
        DBOS.rewind_workflow(workflow_id, start_step=min(failed, default=beyond))
        return True

    def must_revive(self, workflow_id: str) -> bool:
        """Whether a workflow ended in an error that an earlier process recorded, and none of this one's."""
        status = DBOS.get_workflow_status(workflow_id)
        return status is not None and status.status == "ERROR" and self._fault is None

    def exists(self, workflow_id: str) -> bool:
        """Whether a workflow of that id was ever started."""
        return DBOS.get_workflow_status(workflow_id) is not None

    def ended(self, workflow_id: str) -> bool:
        """Whether a workflow has come to its end, well or not."""
        status = DBOS.get_workflow_status(workflow_id)
        return status is not None and status.status not in ("PENDING", "ENQUEUED", "DELAYED")

    def abandon(self) -> None:
        """Record nothing from here on: what is under way counts as killed, and the next run begins it again.

        Threads that come back from a step are parked for good; the process must end with `os._exit`.
        """
        self._abandoned.set()

    def step(self, name: str, function: Callable[[], Json]) -> Json:
        """Run once and record what it returns. Killed before the record, it runs again: look before acting."""

        def act() -> Json:
            try:
                return function()
            finally:
                self._park_if_abandoned()

        return DBOS.run_step({"name": name}, act)

    def transaction(self, name: str, function: Callable[[sa.Connection], Json]) -> Json:
        """Run in one database transaction that also holds the step's record: both or neither."""
        self._park_if_abandoned()
        data = cast(SQLAlchemyDatasource, self._data)
        return data.run_tx_step({"name": name}, lambda: function(data.sql_session().connection()))

    def _park_if_abandoned(self) -> None:
        if self._abandoned.is_set():
            threading.Event().wait()

    def read(self, function: Callable[[sa.Connection], T]) -> T:
        """Ask the database, outside any record."""
        with cast(SQLAlchemyDatasource, self._data).engine.connect() as connection:
            return function(connection)

    def write(self, function: Callable[[sa.Connection], object]) -> None:
        """One database transaction of its own, outside any record; for use inside a step."""
        self._park_if_abandoned()
        self._write(function)

    def _write(self, function: Callable[[sa.Connection], object]) -> None:
        with cast(SQLAlchemyDatasource, self._data).engine.begin() as connection:
            function(connection)


def _handle(workflow_id: str) -> WorkflowHandle[Json]:
    return DBOS.retrieve_workflow(workflow_id, existing_workflow=False)
