"""What every forge must do, whatever stands behind it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest
from switchyard_git import RefName, RefUpdate, Repository
from switchyard_merge import (
    ForgeRefused,
    ForgeUnavailable,
    Marker,
    PullRequestText,
    open_or_adopt,
    refresh_body,
    render_body,
)
from switchyard_merge.forge import Forge, LocalForge, PullRequest

from conformance.forges import World, local_with_an_origin, new


def test_what_was_opened_is_found_in_every_way(world: World) -> None:
    head = world.branch("factory/r/a")
    opened = world.forge.open(new("factory/r/a", title="Grüße 🚀", body="Zeile\n\n- [ ] x\n"))
    assert (opened.title, opened.body, opened.head, opened.base) == (
        "Grüße 🚀", "Zeile\n\n- [ ] x\n", "factory/r/a", "main",
    )  # fmt: skip
    assert (opened.state, opened.head_sha, set(opened.labels)) == ("open", head, {"one", "two"})
    assert opened.url
    for forge in (world.forge, world.reopen()):
        assert forge.get(opened.number) == opened
        assert forge.find("factory/r/a") == opened
        assert list(forge.list()) == [opened]


def test_what_is_not_there_is_not_found(world: World) -> None:
    assert world.forge.find("factory/r/a") is None
    assert list(world.forge.list()) == []
    with pytest.raises(ForgeRefused, match="4711") as caught:
        world.forge.get(4711)
    assert caught.value.hint
    for act in (lambda: world.forge.edit(4711, title="x"), lambda: world.forge.close(4711)):
        with pytest.raises(ForgeRefused):
            act()


def test_the_list_is_by_number_and_by_prefix(world: World) -> None:
    for name in ("factory/r/b", "mine", "factory/r/a"):
        world.branch(name)
        world.forge.open(new(name))
    assert [pull.head for pull in world.forge.list()] == ["factory/r/b", "mine", "factory/r/a"]
    assert [pull.head for pull in world.forge.list(heads_prefix="factory/")] == ["factory/r/b", "factory/r/a"]
    numbers = [pull.number for pull in world.forge.list()]
    assert numbers == sorted(set(numbers))


def test_an_edit_changes_what_is_given_and_nothing_else(world: World) -> None:
    world.branch("factory/r/a")
    world.branch("factory/r/base")
    opened = world.forge.open(new("factory/r/a"))
    assert world.forge.edit(opened.number, title="New").title == "New"
    edited = world.forge.edit(opened.number, body="", base="factory/r/base")
    assert (edited.title, edited.body, edited.base, edited.head) == ("New", "", "factory/r/base", "factory/r/a")
    assert world.reopen().get(opened.number) == edited


def test_the_head_is_where_the_branch_is_now(world: World) -> None:
    world.branch("factory/r/a")
    number = world.forge.open(new("factory/r/a")).number
    moved = world.branch("factory/r/a", "moved")
    assert world.forge.get(number).head_sha == moved
    found = world.forge.find("factory/r/a")
    assert found is not None
    assert found.head_sha == moved
    assert world.forge.list()[0].head_sha == moved


def test_a_closed_one_stays_closed_and_keeps_its_head(world: World) -> None:
    world.branch("factory/r/a")
    number = world.forge.open(new("factory/r/a")).number
    head = world.branch("factory/r/a", "moved before it was closed")
    closed = world.forge.close(number)
    assert (closed.state, closed.head_sha) == ("closed", head)
    assert world.forge.close(number) == closed
    world.branch("factory/r/a", "later")
    assert world.forge.get(number).head_sha == head


def test_the_newest_of_a_branch_is_found(world: World) -> None:
    world.branch("factory/r/a")
    first = world.forge.open(new("factory/r/a"))
    world.forge.close(first.number)
    second = world.forge.open(new("factory/r/a"))
    assert second.number > first.number
    assert world.forge.find("factory/r/a") == second


@pytest.mark.parametrize(("head", "base"), [("factory/r/absent", "main"), ("factory/r/a", "absent")])
def test_a_branch_that_is_missing_is_refused(world: World, head: str, base: str) -> None:
    world.branch("factory/r/a")
    with pytest.raises(ForgeRefused) as caught:
        world.forge.open(new(head, base))
    assert caught.value.hint
    assert list(world.forge.list()) == []


def test_a_branch_with_nothing_new_is_refused(world: World) -> None:
    ref = RefName("refs/heads/factory/r/a")
    world.repository.update_refs([RefUpdate(ref, world.repository.resolve("refs/heads/main"), None)])
    with pytest.raises(ForgeRefused, match="no commits"):
        world.forge.open(new("factory/r/a"))


def test_a_second_one_from_the_same_branch_is_refused_and_adopted_instead(world: World) -> None:
    world.branch("factory/r/a")
    opened = world.forge.open(new("factory/r/a"))
    with pytest.raises(ForgeRefused, match=f"#{opened.number}"):
        world.forge.open(new("factory/r/a"))
    assert open_or_adopt(world.forge, new("factory/r/a")).number == opened.number
    assert len(world.forge.list()) == 1


def body(task: str = "a", head: str = "1") -> str:
    return render_body(PullRequestText(Marker(task, "r", head), "Title", "What to do."))


class Counting:
    """A forge that counts writes, and can let somebody else be faster."""

    def __init__(self, inner: Forge, *, blind_looks: int = 0) -> None:
        self.kind = inner.kind
        self.writes: list[str] = []
        self._inner = inner
        self._blind_looks = blind_looks

    def find(self, head: str) -> PullRequest | None:
        if self._blind_looks:
            self._blind_looks -= 1
            return None
        return self._inner.find(head)

    def __getattr__(self, name: str) -> Any:
        if name in ("open", "edit", "close"):
            self.writes.append(name)
        return getattr(self._inner, name)


def test_a_second_run_with_nothing_to_do_writes_nothing(world: World) -> None:
    world.branch("factory/r/a")
    forge = Counting(world.forge)
    first = open_or_adopt(forge, new("factory/r/a", body=body()))
    assert not first.owes_labels
    assert forge.writes.pop(0) == "open"
    # Some take labels only afterwards.
    assert forge.writes in ([], ["edit"])
    forge.writes.clear()
    assert open_or_adopt(forge, new("factory/r/a", body=body())) == first
    assert refresh_body(forge, first.number, body()) == first
    assert forge.writes == []


def test_m24_one_that_somebody_opened_meanwhile_is_adopted(world: World) -> None:
    world.branch("factory/r/a")
    rival = world.forge.open(new("factory/r/a", body=body()))
    forge = Counting(world.forge, blind_looks=1)
    assert open_or_adopt(forge, new("factory/r/a", body=body()), is_renewed_later=True).number == rival.number
    assert forge.writes == ["open"]
    assert len(world.forge.list()) == 1


def test_a_refusal_that_is_no_race_is_passed_on(world: World) -> None:
    with pytest.raises(ForgeRefused, match="absent"):
        open_or_adopt(world.forge, new("factory/r/absent"))


def test_an_adopted_one_gets_the_new_base_and_head_and_keeps_a_persons_words(world: World) -> None:
    world.branch("factory/r/a")
    world.branch("factory/r/base")
    opened = open_or_adopt(world.forge, new("factory/r/a", body=body()))
    world.forge.edit(opened.number, title="A person's title", body=f"Please hurry.\n\n{opened.body}")
    forge = Counting(world.forge)
    adopted = open_or_adopt(forge, new("factory/r/a", "factory/r/base", body=body(head="2")))
    assert forge.writes == ["edit"]
    assert (adopted.base, adopted.title) == ("factory/r/base", "A person's title")
    assert adopted.body.startswith("Please hurry.")
    assert "head=2" in adopted.body


def test_one_of_another_task_is_not_taken_over(world: World) -> None:
    world.branch("factory/r/a")
    open_or_adopt(world.forge, new("factory/r/a", body=body("other")))
    with pytest.raises(ForgeRefused, match="'other'"):
        open_or_adopt(world.forge, new("factory/r/a", body=body("a")))


def test_one_that_a_person_closed_is_left_closed(world: World) -> None:
    world.branch("factory/r/a")
    opened = open_or_adopt(world.forge, new("factory/r/a", body=body()))
    world.forge.close(opened.number)
    forge = Counting(world.forge)
    assert open_or_adopt(forge, new("factory/r/a", body=body(head="2"))).state == "closed"
    assert forge.writes == []


def test_numbers_are_unique_when_many_open_at_once(world: World) -> None:
    names = [f"factory/r/t{number}" for number in range(12)]
    for name in names:
        world.branch(name)
    start = threading.Barrier(len(names))
    failures: list[BaseException] = []

    def open_one(name: str) -> None:
        try:
            start.wait(timeout=30)
            world.reopen().open(new(name))
        except BaseException as err:
            failures.append(err)

    threads = [threading.Thread(target=open_one, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(pull.number for pull in world.forge.list()) == list(range(1, 13))
    assert {pull.head for pull in world.forge.list()} == set(names)


def test_one_branch_is_opened_once_however_many_try(world: World) -> None:
    world.branch("factory/r/a")
    start = threading.Barrier(6)
    numbers: list[int] = []

    def adopt() -> None:
        start.wait(timeout=30)
        numbers.append(open_or_adopt(world.reopen(), new("factory/r/a", body=body())).number)

    threads = [threading.Thread(target=adopt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [1] * 6


def test_the_local_forge_keeps_one_readable_file_a_pull_request(tmp_path: Path) -> None:
    world = local_with_an_origin(tmp_path)
    world.branch("main")
    head = world.branch("factory/r/a")
    opened = world.forge.open(new("factory/r/a"))
    file = Path(unquote(urlparse(opened.url).path))
    assert file == tmp_path / "state" / "forge" / "1.json"
    assert json.loads(file.read_text()) == {
        "schema": "switchyard.pull_request/1", "number": 1, "title": "Title", "body": "Body\n", "head": "factory/r/a",
        "base": "main", "state": "open", "head_sha": head, "labels": ["one", "two"],
        "draft": False, "merged_sha": "", "reviews": {}, "checks": {}, "comments": {},
    }  # fmt: skip
    assert [path.name for path in sorted(file.parent.iterdir())] == [".lock", "1.json"]


def test_the_local_forge_says_when_it_cannot_see_its_branches(tmp_path: Path) -> None:
    factory = Repository.init_bare(tmp_path / "factory.git")
    forge = LocalForge(tmp_path / "forge", factory, "http://ada:secret@127.0.0.1:9/x.git")
    with pytest.raises(ForgeUnavailable) as caught:
        forge.open(new("factory/r/a"))
    assert "secret" not in str(caught.value)


def test_the_local_forge_names_a_file_that_was_damaged(tmp_path: Path) -> None:
    world = local_with_an_origin(tmp_path)
    world.branch("main")
    world.branch("factory/r/a")
    world.forge.open(new("factory/r/a"))
    (tmp_path / "state" / "forge" / "1.json").write_text("{")
    with pytest.raises(ForgeUnavailable, match=r"1\.json"):
        world.forge.list()
