"""What else goes wrong under a run: death while recovering, half-made trees, torn files, full disks, locks, clocks."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chaos.ground import CONFIG, PAIR, ChaosYard, Outcome
from switchyard.ledger import Event

pytestmark = [pytest.mark.slow, pytest.mark.sandbox]
_NIGHTLY = pytest.mark.nightly

SET_UP = CONFIG.replace(
    "[checks]", "setup = ['echo made > \"$HOME/made\"']\n[checks]\nlayer = 'grep made \"$HOME/made\"'"
)
DISK_MB = 32
AN_HOUR_S = 3600.0
WHILE_RECOVERING = [
    ("write recorded", 1),
    ("step ground acted", 1),
    ("driver.create after", 1),
    ("agent running", 1),
    ("quarantine.update_refs after", 1),
    ("step check 1 intact acted", 1),
    ("quarantine.push after", 1),
    ("forge.open after", 1),
    ("step context recorded", 2),
    ("quarantine.push after", 2),
]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    yard = ChaosYard(tmp_path_factory.mktemp("calm") / "yard")
    yard.run("run")
    return yard.outcome()


@pytest.mark.nightly
def test_ten_kills_while_recovering_converge(tmp_path: Path, calm: Outcome) -> None:
    yard = ChaosYard(tmp_path / "yard")
    for point, nth in WHILE_RECOVERING:
        yard.kill_at(point, nth)
    yard.run("run")
    assert yard.outcome() == calm
    yard.assert_sound()


@pytest.mark.nightly
def test_a_step_that_always_dies_in_the_same_place_uses_up_nothing(tmp_path: Path, calm: Outcome) -> None:
    yard = ChaosYard(tmp_path / "yard")
    for _ in range(6):
        yard.kill_at("driver.execute before")
    yard.run("run")
    assert yard.outcome() == calm
    yard.assert_sound()


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        pytest.param("spawn * init *", 1, id="mirror", marks=_NIGHTLY),
        pytest.param("spawn * init *", 2, id="factory repository", marks=_NIGHTLY),
        pytest.param("spawn * fetch *", 1, id="fetch", marks=_NIGHTLY),
        pytest.param("rename */checkouts/*", 1, id="checkout", marks=_NIGHTLY),
        pytest.param("mkdir */layers", 1, id="before the layer", marks=_NIGHTLY),
        pytest.param("rename */layers/*/work", 1, id="layer begun", marks=_NIGHTLY),
        pytest.param("rename */layers/*/home", 1, id="half a layer", marks=_NIGHTLY),
        pytest.param("rename */layers/*", 3, id="layer unnamed", marks=_NIGHTLY),
    ],
)
def test_half_made_repositories_checkouts_and_layers_are_made_again(tmp_path: Path, point: str, nth: int) -> None:
    yard = ChaosYard(tmp_path / "yard", PAIR, SET_UP)
    yard.kill_at(point, nth)
    yard.run("run")
    assert {row["state"] for row in yard.status().values()} == {"published"}
    assert {row["attempts"] for row in yard.status().values()} == {1}
    assert not list(yard.state.glob("checkouts/.new-*")) and not list(yard.state.glob("layers/.new-*"))
    yard.assert_sound()


@pytest.mark.nightly
def test_a_torn_artifact_stops_its_task_and_names_it_while_the_rest_goes_on(tmp_path: Path, calm: Outcome) -> None:
    yard = ChaosYard(tmp_path / "yard")
    yard.kill_at("driver.create before")
    selected = next(event for event in yard.events() if event.event_type == "context_selected")
    reference = str(selected.data["markdown"])
    _tear(_artifact(yard, reference))

    yard.run("run")

    ended = [event for event in yard.events() if event.event_type == "task_finished"]
    interrupted = {event.task_id: event.data for event in ended if event.run_id == selected.run_id}
    assert {name: data["state"] for name, data in interrupted.items()} == {
        "a": "failed",
        "b": "published",
        "c": "blocked",
    }
    assert reference in interrupted["a"]["reason"] and "is damaged" in interrupted["a"]["reason"]
    # What failed is taken up again at once, and the artifact is written anew.
    assert yard.outcome().tasks == calm.tasks
    yard.assert_sound(effects_given_up=1)


@pytest.mark.nightly
def test_a_torn_plan_is_named_and_the_run_goes_on_once_it_is_restored(tmp_path: Path, calm: Outcome) -> None:
    yard = ChaosYard(tmp_path / "yard")
    yard.kill_at("driver.execute before")
    started = yard.events()[0]
    plan = _artifact(yard, started.artifact_reference)
    whole = plan.read_bytes()
    _tear(plan)

    process = yard.start("run")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert started.artifact_reference in err.decode() and "damaged" in err.decode()

    plan.write_bytes(whole)
    yard.run("run")
    assert yard.outcome() == calm
    yard.assert_sound()


@pytest.mark.parametrize("free_kb", [100, *(pytest.param(free, marks=_NIGHTLY) for free in (600, 900, 1500))])
def test_a_full_disk_ends_the_run_with_a_clear_error_and_the_next_goes_on(
    tmp_path: Path, calm: Outcome, free_kb: int
) -> None:
    yard = ChaosYard(tmp_path / "yard")
    with small_disk(yard.state):
        ballast = yard.state / "ballast"
        ballast.write_bytes(bytes((DISK_MB << 20) - (free_kb << 10)))
        process = yard.start("run")
        _, err = process.communicate(timeout=120)
        assert process.returncode == 1, err.decode()
        assert "nothing more can be written to" in err.decode() and "hint: make room" in err.decode()

        ballast.unlink()
        yard.run("run")
        assert yard.outcome().tasks == calm.tasks
        assert yard.outcome().pull_requests == calm.pull_requests
        yard.assert_sound()


@pytest.mark.nightly
def test_a_database_that_another_process_locks_for_a_while_is_waited_for(tmp_path: Path, calm: Outcome) -> None:
    yard = ChaosYard(tmp_path / "yard")
    yard.kill_at("driver.execute before")
    process = yard.start("run")
    with closing(sqlite3.connect(yard.state / "switchyard.db", isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(20)
        assert process.poll() is None
        connection.execute("ROLLBACK")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    assert yard.outcome() == calm
    yard.assert_sound()


@pytest.mark.parametrize(
    "moved_s", [pytest.param(moved, marks=_NIGHTLY) for moved in (-AN_HOUR_S, AN_HOUR_S, -24 * AN_HOUR_S)]
)
def test_a_clock_that_is_moved_between_kill_and_resume_changes_nothing(
    tmp_path: Path, calm: Outcome, moved_s: float
) -> None:
    yard = ChaosYard(tmp_path / "yard")
    yard.kill_at("step attempt 1 recorded", clock_s=0)
    process = yard.start_line(clock_s=moved_s)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    assert yard.outcome() == calm
    assert _jumped(yard.events(), moved_s)
    yard.assert_sound()


@pytest.mark.nightly
def test_a_repository_moved_elsewhere_between_kill_and_resume_goes_on_there(tmp_path: Path, calm: Outcome) -> None:
    yard = ChaosYard(tmp_path / "yard")
    yard.kill_at("agent running")
    elsewhere = yard.folder / "moved" / "repo"
    elsewhere.parent.mkdir()
    subprocess.run(("cp", "-a", str(yard.repo), str(elsewhere)), check=True)
    shutil.rmtree(yard.repo)
    yard.repo = elsewhere

    yard.run("run")

    assert yard.outcome() == calm
    yard.assert_sound()


@pytest.mark.nightly
def test_locks_that_git_left_when_the_machine_died_are_cleared(tmp_path: Path, calm: Outcome) -> None:
    yard = ChaosYard(tmp_path / "yard")
    yard.kill_at("step attempt 1 recorded")
    branch = yard.status()["a"]["branch"]
    for name in (f"refs/heads/{branch}.lock", "packed-refs.lock", "shallow.lock"):
        (yard.state / "factory.git" / name).touch()
    (yard.state / "mirror.git" / "refs" / "heads" / "main.lock").touch()
    yard.commit({"file4.txt": "the base goes on\n"})

    yard.run("run")

    assert yard.outcome() == calm
    assert not list(yard.state.glob("*.git/**/*.lock"))
    yard.assert_sound()


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own for a folder."""
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "switchyard-test", str(folder))
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(("umount", "--lazy", str(folder)), check=True)


def _artifact(yard: ChaosYard, reference: str) -> Path:
    digest = reference.removeprefix("sha256:")
    return yard.state / "artifacts" / "sha256" / digest[:2] / digest


def _tear(file: Path) -> None:
    """Leave the half of a file, as a disk does that lied about having written it."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _jumped(events: list[Event], moved_s: float) -> bool:
    """Whether the ledger's times show that the clock was moved."""
    times = [event.timestamp for event in events]
    return (times != sorted(times)) if moved_s < 0 else times[-1] > times[0]
