"""People outside are told of what needs them: once, a few tries, without secrets, and never in the way of a run."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from sandbox.upstream import Handler, Upstream, running

from switchyard.config.notification import NotifyConfig
from switchyard.ledger import NewEvent, append, connect, create_tables, read_events, unfinished_effects, verify_chain
from switchyard.ledger.events import EventType
from switchyard.workflow.channels import Channel, HostCommand, NotDelivered, Webhook
from switchyard.workflow.notices import Notice, intend_notices, notice_of
from switchyard.workflow.notifying import Notifier

T = TypeVar("T")
NOW = "2026-01-01T00:00:00.000000Z"
BOTH = NotifyConfig(webhook_env="HOOK", command=("true",))
WEBHOOK = NotifyConfig(webhook_env="HOOK")


class Books:
    """A ledger by itself."""

    def __init__(self, folder: Path) -> None:
        self._engine = connect(folder / "books.db")
        create_tables(self._engine)

    def read(self, function: Callable[[sa.Connection], T]) -> T:
        with self._engine.connect() as connection:
            return function(connection)

    def write(self, function: Callable[[sa.Connection], object]) -> None:
        with self._engine.begin() as connection:
            function(connection)

    def record(self, config: NotifyConfig, event_type: EventType, key: str = "r1/rates/row", **data: Any) -> None:
        task = "rates" if event_type != "run_finished" else ""
        event = NewEvent(key, event_type, NOW, "r1", task, data=data)

        def write(connection: sa.Connection) -> None:
            intend_notices(connection, event, config, NOW)
            append(connection, event)

        self.write(write)

    def rows(self, event_type: str) -> list[dict[str, Any]]:
        found = self.read(lambda connection: [row for row in read_events(connection) if row.event_type == event_type])
        self.read(verify_chain)
        return [dict(row.data) for row in found]

    @property
    def owed(self) -> int:
        return len(self.read(lambda connection: unfinished_effects(connection, "notification")))

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path)
    yield made
    made.close()


@pytest.fixture
def hook() -> Iterator[Upstream]:
    with running() as upstream:
        yield upstream


def url_of(hook: Upstream) -> str:
    return f"{hook.url}/services/T0/SECRET"


def notifier(books: Books, *channels: Channel, pauses_s: Sequence[float] = (0.01, 0.01)) -> Notifier:
    return Notifier(books, channels, lambda: NOW, pauses_s=pauses_s, patience_s=10)


def deliver(books: Books, *channels: Channel) -> None:
    """One process from its start to its end."""
    here = notifier(books, *channels)
    here.look()
    here.finish()


def a_notice(reason: str = "existing tests were edited", task: str = "rates") -> Notice:
    return Notice("k", "needs_person", f"Switchyard: {task} needs a person", reason, "r1", task, NOW, "", {})


def answers(*statuses: int) -> Callable[[Handler], None]:
    """One after the other, the last for all that follow."""
    left = list(statuses)

    def answer(handler: Handler) -> None:
        handler.say(b"said", status=left.pop(0) if len(left) > 1 else left[0])

    return answer


def fault_of(channel: Channel, notice: Notice | None = None) -> NotDelivered:
    with pytest.raises(NotDelivered) as caught:
        channel.deliver(notice or a_notice())
    assert "SECRET" not in str(caught.value)
    return caught.value


def test_a_webhook_gets_text_as_slack_reads_it(hook: Upstream) -> None:
    Webhook(url_of(hook), "HOOK").deliver(a_notice("tests were edited: <!channel> <http://e|x> & more\n\nsecond"))
    ((method, path, headers, body),) = hook.asked
    assert (method, path, headers["content-type"]) == ("POST", "/services/T0/SECRET", "application/json")
    assert json.loads(body) == {
        "text": "*Switchyard: rates needs a person*\n"
        "> tests were edited: &lt;!channel&gt; &lt;http://e|x&gt; &amp; more\n> second\n"
        f"run r1, {NOW}\n`switchyard escalation show rates`"
    }


@pytest.mark.parametrize(("status", "may_retry"), [(500, True), (503, True), (429, True), (404, False), (410, False)])
def test_what_a_webhook_refuses_is_told_with_its_status(hook: Upstream, status: int, may_retry: bool) -> None:
    hook.answer = answers(status)
    fault = fault_of(Webhook(url_of(hook), "HOOK"))
    assert (str(fault), fault.may_retry) == (f"HTTP {status}: said", may_retry)


@pytest.mark.parametrize("said", ["Cannot POST /services/T0/SECRET", "no service SECRET here"])
def test_an_answer_that_repeats_a_piece_of_the_url_is_not_told(hook: Upstream, said: str) -> None:
    hook.answer = lambda handler: handler.say(said.encode(), status=404)
    assert str(fault_of(Webhook(url_of(hook), "HOOK"))) == "HTTP 404"


def test_a_redirect_is_not_followed(hook: Upstream) -> None:
    hook.answer = lambda handler: handler.say(b"", status=307, Location=f"{hook.url}/elsewhere")
    assert str(fault_of(Webhook(url_of(hook), "HOOK"))) == "HTTP 307"
    assert len(hook.asked) == 1


def test_a_webhook_that_hangs_or_is_not_there_ends_soon_and_its_url_is_not_told(hook: Upstream) -> None:
    hook.answer = lambda handler: time.sleep(1)
    hanging = fault_of(Webhook(url_of(hook), "HOOK", try_s=0.2))
    assert (str(hanging), hanging.may_retry) == ("no answer within 0.2 s", True)
    assert fault_of(Webhook("http://127.0.0.1:1/SECRET", "HOOK")).may_retry
    assert fault_of(Webhook("http://no.such.host.invalid/SECRET", "HOOK")).may_retry


@pytest.mark.parametrize("url", ["", "SECRET", "ftp://x/SECRET", "file:///SECRET", "http:///SECRET", "http://[SECRET"])
def test_what_is_no_url_is_a_fault_that_names_the_variable_alone(url: str) -> None:
    channel = Webhook(url, "HOOK")
    assert "HOOK" in channel.fault and "SECRET" not in channel.fault
    assert not fault_of(channel).may_retry


SCRIPT = "import sys, json; d = json.load(sys.stdin); print(json.dumps([sys.argv[1:], d]), file=open('out', 'w'))"


def test_a_command_gets_the_placeholders_and_the_document(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", SCRIPT, "{title}", "{task}/{run}/{event}", "{reason}", "{unknown}", "a;b")
    HostCommand(argv, cwd=tmp_path, env={}).deliver(a_notice("--help\n$(x) \0 \udcff"))
    words, document = json.loads((tmp_path / "out").read_text())
    assert words == [
        "Switchyard: rates needs a person", "rates/r1/needs_person", " --help $(x)", "{unknown}", "a;b",
    ]  # fmt: skip
    assert document["schema"] == "switchyard.notice/1"
    assert (document["event"], document["task"], document["run"]) == ("needs_person", "rates", "r1")


def test_a_reason_is_cut_to_what_a_command_line_takes_and_whole_on_stdin(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", SCRIPT, "{reason}")
    HostCommand(argv, cwd=tmp_path, env={}).deliver(a_notice("why " * 100_000))
    (reason,), document = json.loads((tmp_path / "out").read_text())
    assert reason.endswith("…") and len(reason) < 4_000
    assert document["reason"] == "why " * 100_000


def test_a_command_that_floods_is_ended_and_its_words_are_not_kept(tmp_path: Path) -> None:
    flood = HostCommand(("sh", "-c", "yes & yes >&2"), cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, try_s=0.4)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    assert "longer than 0.4 s" in str(fault_of(flood))
    assert time.monotonic() - start < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_command_that_fails_hangs_or_is_not_there_is_told(tmp_path: Path) -> None:
    def fault(*argv: str) -> NotDelivered:
        return fault_of(HostCommand(argv, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, try_s=0.3))

    assert str(fault("sh", "-c", "echo no bell >&2; exit 3")) == "sh ended with 3: no bell"
    assert "longer than 0.3 s" in str(fault("sleep", "60"))
    absent = fault("no-such-program")
    assert "could not be started" in str(absent) and not absent.may_retry
    assert not fault("a\0b").may_retry


def test_only_what_was_asked_for_is_news(books: Books) -> None:
    books.record(NotifyConfig(), "escalated", "a", reason="x")
    books.record(NotifyConfig(webhook_env="HOOK", on=("run_finished",)), "escalated", "b", reason="x")
    books.record(BOTH, "task_finished", "c", state="published")
    assert books.owed == 0
    books.record(BOTH, "escalated", "d", reason="x")
    books.record(WEBHOOK, "run_finished", "e", tasks=[])
    assert books.owed == 3


def test_it_is_journalled_before_and_told_once_whoever_looks_again(books: Books, hook: Upstream) -> None:
    books.record(WEBHOOK, "escalated", reason="x")
    books.record(WEBHOOK, "escalated", reason="x")
    kinds = [row["kind"] for row in books.rows("effect_intended")]
    assert kinds == ["notification"]
    for _ in range(2):
        deliver(books, Webhook(url_of(hook), "HOOK"))
    assert len(hook.asked) == 1
    (row,) = books.rows("notified")
    assert row == {"channel": "webhook", "row": 2, "ok": True, "tries": 1, "fault": ""}
    assert books.owed == 0


def test_what_a_stopped_process_left_over_the_next_one_delivers(books: Books, hook: Upstream) -> None:
    books.record(WEBHOOK, "escalated", reason="x")
    notifier(books, Webhook(url_of(hook), "HOOK")).finish()
    assert not hook.asked
    deliver(books, Webhook(url_of(hook), "HOOK"))
    assert len(hook.asked) == 1


def test_a_failure_is_tried_again_and_then_a_row(books: Books, hook: Upstream) -> None:
    hook.answer = answers(500, 200)
    books.record(WEBHOOK, "escalated", "a", reason="x")
    deliver(books, Webhook(url_of(hook), "HOOK"))
    hook.answer = answers(500)
    books.record(WEBHOOK, "escalated", "b", reason="x")
    books.record(WEBHOOK, "escalated", "c", reason="x")
    deliver(books, Webhook(url_of(hook), "HOOK"))
    told = [(row["ok"], row["tries"], row["fault"]) for row in books.rows("notified")]
    # What failed for one is tried once for the next.
    assert told == [(True, 2, ""), (False, 3, "HTTP 500: said"), (False, 1, "HTTP 500: said")]
    assert books.owed == 0


def test_one_way_that_fails_does_not_keep_the_other_from_telling(books: Books, hook: Upstream, tmp_path: Path) -> None:
    books.record(
        BOTH, "run_finished", "end", tasks=[{"id": "a", "state": "needs_person", "needs_person": {"reason": "r"}}]
    )
    deliver(books, Webhook("", "HOOK"), HostCommand(("true",), cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}))
    told = {row["channel"]: (row["ok"], row["fault"]) for row in books.rows("notified")}
    assert told == {"webhook": (False, "the environment has no HOOK"), "command": (True, "")}


def test_a_way_that_was_taken_out_of_the_configuration_owes_nothing(books: Books) -> None:
    books.record(WEBHOOK, "escalated", reason="x")
    deliver(books)
    assert [row["fault"] for row in books.rows("notified")] == ["it is not configured any more"]


def test_the_end_of_a_run_tells_how_its_tasks_ended(books: Books) -> None:
    tasks = [
        {"id": "a", "state": "published", "needs_person": None},
        {"id": "b", "state": "published", "needs_person": None},
        {"id": "c", "state": "needs_person", "needs_person": {"reason": "tests\nwere edited"}},
    ]
    books.record(WEBHOOK, "run_finished", tasks=tasks)
    (row,) = books.read(lambda connection: [one for one in read_events(connection) if one.event_type == "run_finished"])
    notice = notice_of(row)
    assert notice.title == "Switchyard: run finished: 1 needs person, 2 published"
    assert notice.reason == "c: tests"
    assert "escalation show" not in notice.slack_text
