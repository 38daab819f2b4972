"""What every forge must do when a pull request lands: merge what was seen, or say why not and change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from switchyard_git import CommitSha, RefName, RefUpdate, Repository
from switchyard_merge import ForgeRefused, HeadMoved, NotMergeable
from switchyard_merge.forge import LocalForge, MergeMethod, PullRequest

from conformance.forges import World, local_with_an_origin, new

HEAD = "factory/r/a"
METHODS: tuple[MergeMethod, ...] = ("squash", "rebase", "merge")


def opened(world: World, edits: dict[str, str | None] | None = None, *, head: str = HEAD) -> PullRequest:
    world.grow(head, "main", edits or {"new": "one\n"}, subject="First")
    world.grow(head, head, {"also": "two\n"}, subject="Second")
    return world.forge.open(new(head))


@pytest.mark.parametrize("method", METHODS)
def test_a_merge_puts_the_work_on_a_base_that_moved_on(world: World, method: MergeMethod) -> None:
    pull = opened(world)
    before = world.grow("main", "main", {"elsewhere": "moved on\n"})
    head = pull.head_sha
    merged = world.forge.merge(pull.number, method=method, expected_head=head, title="All of it", message="Why.")
    assert (merged.state, merged.merged_sha, merged.head_sha) == ("merged", world.tip("main"), head)
    assert world.files("main") == {"file": "main", "elsewhere": "moved on\n", "new": "one\n", "also": "two\n"}
    added = world.repository.read_commits([*reversed(list(world.repository.ancestry([world.tip("main")], before)))])
    match method:
        case "squash":
            assert [(one.subject.split(" (#")[0], one.parents) for one in added] == [("All of it", (before,))]
            assert "Why." in added[0].message
        case "rebase":
            assert [one.subject for one in added] == ["First", "Second"]
            assert added[0].parents == (before,)
        case "merge":
            assert added[-1].parents == (before, head)
    assert world.reopen().get(pull.number) == merged


@pytest.mark.parametrize("method", METHODS)
def test_what_is_merged_already_is_returned_as_it_is(world: World, method: MergeMethod) -> None:
    pull = opened(world)
    merged = world.forge.merge(pull.number, method=method, expected_head=pull.head_sha)
    base = world.tip("main")
    assert world.forge.merge(pull.number, method=method, expected_head="0" * 40) == merged
    assert world.tip("main") == base
    assert world.forge.close(pull.number).state == "merged"
    with pytest.raises(ForgeRefused):
        world.forge.reopen(pull.number)


def test_a_head_that_moved_is_not_merged(world: World) -> None:
    pull = opened(world)
    base, later = world.tip("main"), world.grow(HEAD, HEAD, {"also": "more\n"})
    with pytest.raises(HeadMoved) as caught:
        world.forge.merge(pull.number, method="squash", expected_head=pull.head_sha)
    assert (caught.value.expected, caught.value.found) == (pull.head_sha, later)
    assert (world.tip("main"), world.forge.get(pull.number).state) == (base, "open")


def test_a_conflict_is_told_with_its_reason_and_moves_nothing(world: World) -> None:
    pull = opened(world, {"file": "mine\n"})
    base = world.grow("main", "main", {"file": "theirs\n"})
    standing = world.forge.standing(pull.number)
    assert (standing.mergeable, bool(standing.blocked)) == (False, True)
    with pytest.raises(NotMergeable) as caught:
        world.forge.merge(pull.number, method="squash", expected_head=pull.head_sha)
    assert caught.value.reason
    assert (world.tip("main"), world.forge.get(pull.number).state) == (base, "open")


def test_a_closed_one_is_not_merged_until_it_is_opened_again(world: World) -> None:
    pull = opened(world)
    world.forge.close(pull.number)
    with pytest.raises(NotMergeable, match="closed"):
        world.forge.merge(pull.number, method="squash", expected_head=pull.head_sha)
    assert world.forge.reopen(pull.number).state == "open"
    assert world.forge.reopen(pull.number) == world.forge.get(pull.number)
    assert world.forge.merge(pull.number, method="squash", expected_head=pull.head_sha).state == "merged"


def test_one_whose_branch_is_gone_is_not_opened_again(world: World) -> None:
    pull = opened(world)
    world.forge.close(pull.number)
    world.repository.update_refs([RefUpdate(RefName(f"refs/heads/{HEAD}"), None, CommitSha(pull.head_sha))])
    with pytest.raises(ForgeRefused):
        world.forge.reopen(pull.number)
    world.put(HEAD, CommitSha(pull.head_sha))
    assert world.forge.reopen(pull.number).state == "open"


def test_the_standing_tells_reviews_and_the_checks_of_the_head_as_it_is_now(world: World) -> None:
    pull = opened(world)
    fresh = world.forge.standing(pull.number)
    assert (fresh.approved, fresh.changes_requested, dict(fresh.checks)) == (False, False, {})
    world.record_check(pull.number, "test", "passed")
    world.record_check(pull.number, "lint", "failed")
    world.request_changes(pull.number)
    asked = world.forge.standing(pull.number)
    assert (asked.approved, asked.changes_requested) == (False, True)
    assert not world.forge.is_approved(pull.number)
    assert dict(asked.checks) == {"test": "passed", "lint": "failed"}
    world.approve(pull.number)
    moved = world.grow(HEAD, HEAD, {"also": "more\n"})
    later = world.forge.standing(pull.number)
    assert later.approved and world.forge.is_approved(pull.number)
    assert (later.head_sha, later.changes_requested, dict(later.checks)) == (moved, False, {})


def test_the_standings_of_many_are_what_each_ones_is(world: World) -> None:
    fine = opened(world)
    world.request_changes(fine.number)
    clash = opened(world, {"file": "mine\n"}, head="factory/r/clash")
    world.grow("main", "main", {"file": "theirs\n"})
    told = world.forge.standings([clash.number, fine.number])
    assert told == {number: world.forge.standing(number) for number in (clash.number, fine.number)}
    assert [told[one.number].mergeable for one in (clash, fine)] == [False, True]
    assert [told[one.number].changes_requested for one in (clash, fine)] == [False, True]
    assert world.forge.standings([]) == {}


def test_the_local_forge_tells_of_a_head_without_common_history_and_of_the_others(tmp_path: Path) -> None:
    world = local_with_an_origin(tmp_path)
    world.branch("main")
    apart, fine = opened(world, head="factory/r/apart"), opened(world)
    world.branch("factory/r/apart", "of another origin")
    told = world.forge.standings([apart.number, fine.number])
    assert (told[fine.number].mergeable, told[fine.number].blocked) == (True, "")
    assert (told[apart.number].mergeable, told[apart.number].blocked) == (False, "shares no history with main")


def test_one_comment_for_each_marker(world: World) -> None:
    pull = opened(world)
    before = world.forge.get(pull.number)
    world.forge.comment(pull.number, "landed", "Already there.")
    world.forge.comment(pull.number, "landed", "Already there.")
    world.forge.comment(pull.number, "other", "Something else.")
    world.forge.comment(pull.number, "landed", "Landed as 1234.")
    assert world.comments(pull.number) == ["Landed as 1234.", "Something else."]
    assert world.forge.get(pull.number) == before


def test_a_number_that_is_not_there_is_refused(world: World) -> None:
    for act in (
        lambda: world.forge.standing(4711),
        lambda: world.forge.is_approved(4711),
        lambda: world.forge.reopen(4711),
        lambda: world.forge.comment(4711, "m", "x"),
        lambda: world.forge.merge(4711, method="squash", expected_head="0" * 40),
    ):
        with pytest.raises(ForgeRefused):
            act()


def test_the_local_forge_blocks_on_what_a_reviewer_wants(tmp_path: Path) -> None:
    world = local_with_an_origin(tmp_path)
    world.branch("main")
    pull = opened(world)
    world.request_changes(pull.number)
    assert "ada" in world.forge.standing(pull.number).blocked
    with pytest.raises(NotMergeable, match="ada"):
        world.forge.merge(pull.number, method="squash", expected_head=pull.head_sha)
    world.approve(pull.number)
    assert world.forge.merge(pull.number, method="squash", expected_head=pull.head_sha).state == "merged"


def test_a_merge_that_was_stopped_after_the_base_moved_is_not_made_again(tmp_path: Path) -> None:
    world = local_with_an_origin(tmp_path)
    world.branch("main")
    pull = opened(world)
    merged = world.forge.merge(pull.number, method="squash", expected_head=pull.head_sha)
    later = world.grow("main", "main", {"later": "x\n"})
    file = tmp_path / "state" / "forge" / f"{pull.number}.json"
    file.write_text(file.read_text().replace('"state": "merged"', '"state": "open"'))
    assert '"state": "open"' in file.read_text()
    assert world.reopen().get(pull.number) == merged
    assert world.reopen().merge(pull.number, method="squash", expected_head=pull.head_sha) == merged
    assert world.tip("main") == later


def test_a_base_that_a_person_has_checked_out_is_not_moved(tmp_path: Path) -> None:
    person = Repository.init(tmp_path / "person")
    factory = Repository.init_bare(tmp_path / "factory.git")
    forge = LocalForge(tmp_path / "forge", factory, person.git_dir)
    world = World(forge, person, lambda: forge, lambda _: None, lambda _: None, lambda *_: None, lambda _: [])
    base = world.branch("main")
    pull = opened(world)
    with pytest.raises(NotMergeable, match="checked out"):
        forge.merge(pull.number, method="squash", expected_head=pull.head_sha)
    assert world.tip("main") == base
    assert person.survey()[0] == base
