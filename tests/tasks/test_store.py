"""The folder of task files: reading all of it, and changing one file at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchyard.errors import TaskFileError, UsageError
from switchyard.packets import TaskId
from switchyard.tasks import Task, TaskStore, check_tasks, load_plan, load_tasks, render_task


@pytest.fixture
def store(tmp_path: Path) -> TaskStore:
    return TaskStore(tmp_path / "with space" / "tasks")


def task(name: str, *depends_on: str, **values: object) -> Task:
    return Task(id=TaskId(name), title=name.title(), depends_on=tuple(map(TaskId, depends_on)), **values)  # type: ignore[arg-type]


def write(store: TaskStore, name: str, text: str) -> Path:
    store.folder.mkdir(parents=True, exist_ok=True)
    file = store.folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_folder_that_is_not_there_holds_no_tasks(store: TaskStore) -> None:
    assert store.list() == []


def test_tasks_are_listed_by_id_and_the_readme_is_none(store: TaskStore) -> None:
    store.add([task("b", "a"), task("a")])
    write(store, "README.md", "# Tasks\n")
    write(store, ".draft.md", "not yet")
    assert [found.id for found in store.list()] == ["a", "b"]


def test_every_fault_of_every_file_is_told(store: TaskStore) -> None:
    write(store, "a.md", "---\nid: a\ntitle: A\nlabel: x\n---\n")
    write(store, "b.md", "nothing")
    store.folder.joinpath("c.md").write_bytes(b"---\nid: c\ntitle: caf\xe9\n---\n")
    with pytest.raises(TaskFileError) as caught:
        store.list()
    places = [str(line).split(": ")[0].removeprefix(str(store.folder)) for line in str(caught.value).splitlines()]
    assert places == ["/a.md:4", "/b.md:1", "/c.md:3"]
    assert len(caught.value.others) == 2


def test_an_unknown_dependency_is_named_with_file_line_and_a_guess(store: TaskStore) -> None:
    write(store, "rates.md", "---\nid: rates\ntitle: R\n---\n")
    write(store, "api.md", "---\nid: api\ntitle: A\ndepends_on:\n  - rats\n---\n")
    with pytest.raises(TaskFileError, match="did you mean 'rates'") as caught:
        store.list()
    assert (caught.value.file.name, caught.value.line) == ("api.md", 5)


def test_every_circle_is_shown_as_a_path(store: TaskStore) -> None:
    tasks = [task("a", "b"), task("b", "c"), task("c", "a"), task("d", "d"), task("e", "a")]
    with pytest.raises(TaskFileError) as caught:
        check_tasks(tasks)
    first, second = str(caught.value).splitlines()
    assert "circle: a → b → c → a" in first
    assert "circle: d → d" in second


def test_a_dependency_known_elsewhere_is_no_fault() -> None:
    check_tasks([task("a", "landed")], known=[TaskId("landed")])


def test_a_plan_gives_tasks_in_its_order_with_lines(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "- id: b\n  title: B\n  depends_on: [a]\n  body: |\n    Do it.\n\n    ## Acceptance\n    - [ ] done\n"
        "- id: a\n  title: A\n"
    )
    tasks = load_plan(plan)
    assert [found.id for found in tasks] == ["b", "a"]
    assert tasks[0].acceptance == ("done",)
    assert tasks[1].source is not None
    assert tasks[1].source.line("id") == 9
    check_tasks(tasks)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "a plan is a list"),
        ("id: a\n", 1, "a plan is a list"),
        ("- id: a\n  title: A\n- text\n", 3, "mapping"),
        ("- id: a\n  title: A\n- id: b\n  titel: B\n", 3, "'title' is missing"),
        ("- id: a\n  title: A\n  - x\n", 3, "not valid YAML"),
    ],
)
def test_a_faulty_plan_is_named_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(text)
    with pytest.raises(TaskFileError, match=said) as caught:
        load_plan(plan)
    assert caught.value.line == line


@pytest.mark.parametrize("again", ["a", "A"])
def test_an_id_twice_in_a_plan_names_both_places_whatever_its_case(tmp_path: Path, again: str) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"- id: a\n  title: A\n- id: {again}\n  title: B\n")
    with pytest.raises(TaskFileError, match=rf"plan.yaml:3: task '{again}' exists twice; the other is .*plan.yaml:1"):
        check_tasks(load_plan(plan))


def test_adding_several_is_all_or_nothing(store: TaskStore) -> None:
    store.add([task("a")])
    with pytest.raises(UsageError, match="exists"):
        store.add([task("b"), task("a")])
    with pytest.raises(TaskFileError, match="does not exist"):
        store.add([task("b"), task("c", "nowhere")])
    assert [found.id for found in store.list()] == ["a"]


@pytest.mark.parametrize("name", ["../x", "join-x", "", "A"])
def test_what_is_no_id_reaches_no_file(store: TaskStore, name: str) -> None:
    with pytest.raises(UsageError):
        store.get(name)


def test_an_unknown_task_is_refused_with_the_nearest_id(store: TaskStore) -> None:
    store.add([task("rates-api")])
    with pytest.raises(UsageError, match="did you mean 'rates-api'"):
        store.get("rates-ap")


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("approve", "draft", "ready"),
        ("approve", "ready", "ready"),
        ("approve", "held", None),
        ("approve", "cancelled", None),
        ("hold", "ready", "held"),
        ("hold", "draft", None),
        ("release", "held", "ready"),
        ("release", "draft", None),
        ("cancel", "held", "cancelled"),
        ("cancel", "cancelled", "cancelled"),
    ],
)
def test_a_verb_leads_from_its_states_and_from_no_other(
    store: TaskStore, verb: str, before: str, after: str | None
) -> None:
    store.add([task("a", state=before)])
    if after is None:
        with pytest.raises(UsageError, match=f"it is {before}"):
            store.move(verb, ["a"])  # type: ignore[arg-type]
    else:
        assert store.move(verb, ["a"])[0].state == after  # type: ignore[arg-type]
    assert store.get("a").state == (after or before)


def test_moving_several_is_all_or_nothing(store: TaskStore) -> None:
    store.add([task("a"), task("b", state="cancelled")])
    with pytest.raises(UsageError, match="'b'"):
        store.move("approve", ["a", "b"])
    assert store.get("a").state == "draft"


def test_a_task_that_could_not_be_read_again_is_not_added(store: TaskStore) -> None:
    with pytest.raises(UsageError, match="'/etc' in 'targets' must be a path inside"):
        store.add([task("a", targets=("/etc",))])
    assert not store.folder.exists()


def test_a_move_keeps_comments_and_mode(store: TaskStore) -> None:
    file = write(store, "a.md", "---\nid: a # mine\ntitle: A\n---\nBody\n")
    file.chmod(0o640)
    store.move("approve", ["a"])
    assert file.read_text() == "---\nid: a # mine\ntitle: A\nstate: ready\n---\nBody\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in store.folder.iterdir()] == ["a.md"]


def test_an_edit_that_closes_a_circle_changes_nothing(store: TaskStore) -> None:
    store.add([task("a"), task("b", "a")])
    before = store.text("a")
    with pytest.raises(TaskFileError, match="circle"):
        store.edit("a", {"depends_on": (TaskId("b"),)})
    assert store.text("a") == before


def test_a_faulty_neighbour_does_not_stop_an_edit(store: TaskStore) -> None:
    store.add([task("a")])
    write(store, "b.md", "broken")
    assert store.edit("a", {"title": "New"}).title == "New"


def test_a_link_to_a_task_file_stays_a_link(store: TaskStore, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere.md"
    target.write_text(render_task(task("a")))
    store.folder.mkdir(parents=True)
    store.folder.joinpath("a.md").symlink_to(target)
    store.move("approve", ["a"])
    assert store.folder.joinpath("a.md").is_symlink()
    assert "state: ready" in target.read_text()


def test_imports_come_from_a_plan_a_file_or_a_folder(store: TaskStore, tmp_path: Path) -> None:
    (tmp_path / "plan.yml").write_text("- {id: a, title: A}\n")
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "b.md").write_text(render_task(task("b")))
    assert [found.id for found in store.read_import(tmp_path / "plan.yml")] == ["a"]
    assert [found.id for found in store.read_import(folder / "b.md")] == ["b"]
    assert store.read_import(folder) == load_tasks(folder)
    with pytest.raises(UsageError, match="no tasks"):
        store.read_import(_empty(tmp_path))


def _empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder
