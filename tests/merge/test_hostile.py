"""What a repository, a branch or a name cannot do to the one who merges it."""

from __future__ import annotations

import subprocess
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stage import Stage, branch
from switchyard_git import (
    SUBMODULE_MODE,
    CommitSha,
    Merged,
    ObjectSha,
    RefName,
    RefUpdate,
    Repository,
    UnrelatedHistories,
)
from switchyard_git import Conflicted as GitConflicted
from switchyard_merge import ForbiddenRef, Joined, branch_name, find_all_conflicts, join_of
from switchyard_merge.branches import checked_factory_ref
from switchyard_merge.restack import Conflicted, Layer, Restacked, replay_branch, restack
from yard import ADA, LONG, WHO, Yard

Configure = Callable[[Repository, str], object]


def _setting(repository: Repository, name: str, value: str) -> None:
    repository._ask("config", name, value)


def _in_its_tree(repository: Repository, program: str) -> None:
    assert repository.worktree is not None
    (repository.worktree / ".gitattributes").write_text("* merge=evil\n")
    _setting(repository, "merge.evil.driver", program)


def _in_its_attributes(repository: Repository, program: str) -> None:
    (repository.git_dir / "info").mkdir(exist_ok=True)
    (repository.git_dir / "info/attributes").write_text("* merge=e=vil\n")
    _setting(repository, "merge.e=vil.driver", program)


def _by_default(repository: Repository, program: str) -> None:
    _setting(repository, "merge.text.driver", program)
    _setting(repository, "merge.default", "text")


def _included(repository: Repository, program: str) -> None:
    other = repository.git_dir / "other"
    other.write_text(f'[merge "evil"]\n\tdriver = {program}\n[merge]\n\tdefault = evil\n')
    _setting(repository, "include.path", str(other))


def _as_a_filter(repository: Repository, program: str) -> None:
    _in_its_attributes(repository, program)
    (repository.git_dir / "info/attributes").write_text("* filter=evil\n")
    _setting(repository, "filter.evil.clean", f"{program}; cat")
    _setting(repository, "merge.renormalize", "true")


@pytest.mark.parametrize("configure", [_in_its_tree, _in_its_attributes, _by_default, _included, _as_a_filter])
def test_no_program_of_the_repository_runs_in_a_merge(
    yard: Yard, person: Repository, tmp_path: Path, configure: Configure
) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    configure(person, str(program))
    theirs = Yard(person, yard.origin, yard.base)
    one = theirs.commit(yard.base, {"a": f"1\n{LONG}", "b": f"1\n{LONG}"})
    clash, calm = theirs.commit(yard.base, {"a": f"2\n{LONG}"}), theirs.commit(yard.base, {"b": f"{LONG}2\n"})
    outcomes = person.merge_trees([(one, clash), (one, calm)])
    assert not ran.exists()
    assert isinstance(outcomes[0], GitConflicted)
    assert outcomes[0].paths == ("a",)
    # What would have been left to the program is a conflict, and never taken for merged.
    assert isinstance(outcomes[1], Merged) == (configure in (_in_its_tree, _as_a_filter))


def test_a_history_that_was_cut_is_told_and_no_branch_looks_empty(yard: Yard, tmp_path: Path) -> None:
    tip = yard.base
    for number in range(4):
        tip = yard.commit(tip, {"a": f"{number}\n{LONG}"}, at=number)
    main = yard.commit(yard.base, {"b": f"1\n{LONG}"})
    heads = {RefName("refs/heads/tip"): tip, RefName("refs/heads/main"): main}
    yard.factory.update_refs([RefUpdate(ref, sha, None) for ref, sha in heads.items()])
    place = tmp_path / "shallow.git"
    clone = ("git", "clone", "--quiet", "--bare", "--depth=2", "--no-single-branch", yard.factory.git_dir.as_uri())
    subprocess.run((*clone, str(place)), check=True)
    shallow = Repository.open(place)
    assert shallow.is_shallow
    parent = shallow.read_commits([tip])[0].parents[0]
    assert isinstance(replay_branch(shallow, floor=parent, tip=tip, onto=main), Conflicted)
    for act in (
        lambda: replay_branch(shallow, floor=yard.base, tip=tip, onto=main),
        lambda: shallow.merge_tree(tip, main),
        lambda: join_of(shallow, [tip, main], who=WHO),
    ):
        with pytest.raises(UnrelatedHistories) as caught:
            act()
        assert "--unshallow" in caught.value.hint


def test_a_repository_with_sha256_ids_is_as_good_as_any(tmp_path: Path) -> None:
    for name in ("factory.git", "origin.git"):
        make = ("git", "init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main")
        subprocess.run((*make, str(tmp_path / name)), check=True)
    factory, origin = Repository.open(tmp_path / "factory.git"), Repository.open(tmp_path / "origin.git")
    base = Yard(factory, origin, CommitSha("")).commit(None, {"a": LONG})
    factory.push(origin.git_dir, [RefUpdate(RefName("refs/heads/main"), base, None)])
    stage = Stage.open(Yard(factory, origin, base), tmp_path)
    stage.publish(
        {"x": ([], [{"fx": "1\n"}]), "y": ([], [{"fy": "1\n"}]), "d": (["x", "y"], [{"fd": "1\n", "a": None}])}
    )
    stage.land("x")
    stage.keep()
    stage.land("y", "rebase")
    stage.keep()
    assert (stage.bases(), stage.diff("d"), len(stage.tip("d"))) == ({"d": "main"}, {"fd": "A", "a": "D"}, 64)


@pytest.mark.nightly
def test_a_chain_of_two_hundred_and_a_join_of_sixty_are_restacked(yard: Yard) -> None:
    tips = [yard.commit(yard.base, {f"f{number}": "1\n"}, at=number) for number in range(60)]
    joined = join_of(yard.factory, [*tips, yard.base, tips[3]], who=WHO)
    assert isinstance(joined, Joined)
    assert joined.parents == tuple(tips)
    layers, floor = [Layer("join", joined.commit, joined.commit, tuple(tips))], joined.commit
    for number in range(200):
        content = yard.factory.read_written([floor])[floor]
        (tip,) = yard.factory.write_commits([content.placed(yard.factory.tree_of(floor), floor)])
        layers.append(Layer(f"b{number}", tip, floor, (), (layers[-1].branch,)))
        floor = tip
    moved = yard.commit(tips[0], {"f0": "2\n"})
    outcomes = restack(yard.factory, [replace(layers[0], on_commits=(moved, *tips[1:])), *layers[1:]], who=WHO)
    assert all(isinstance(one, Restacked) for one in outcomes.values())


@pytest.mark.parametrize(
    ("edits", "paths"),
    [
        ([{"x": "1\n"}, {"x/y": "1\n"}], ("x",)),
        ([{"dir": "1\n", "dir/x": None}, {"dir/x": f"1\n{LONG}"}], ("dir/x", "dir")),
        ([{"README": "1\n"}, {"readme": "1\n"}], None),
        ([{"w": "1\r\n"}, {"w": "1\n"}], ("w",)),
    ],
)
def test_what_clashes_is_told_by_the_names_that_people_gave(
    yard: Yard, edits: list[dict[str, str | None]], paths: tuple[str, ...] | None
) -> None:
    base = yard.commit(yard.base, {"dir/x": LONG, ".gitattributes": "* text=auto eol=crlf\n"})
    heads = {str(number): yard.commit(base, edit) for number, edit in enumerate(edits)}
    found = find_all_conflicts(yard.factory, heads)
    assert [one.paths for one in found] == ([paths] if paths else [])
    by_git = yard.factory.merge_tree(heads["0"], heads["1"])
    assert isinstance(by_git, Merged) == (paths is None)


def test_links_and_submodules_conflict_as_they_stand_and_lead_nowhere(yard: Yard) -> None:
    factory = yard.factory

    def commit(parent: CommitSha, entries: dict[str, tuple[str, ObjectSha] | None]) -> CommitSha:
        tree = factory.write_tree_from(factory.tree_of(parent), entries)
        return factory.commit_tree(tree, [parent], "x\n", author=ADA, committer=ADA)

    def link(to: str) -> tuple[str, ObjectSha]:
        return "120000", factory.write_blob(to.encode())

    base = commit(yard.base, {"l": link("a"), "sub": (SUBMODULE_MODE, ObjectSha("1" * 40))})
    heads = {
        "out": commit(base, {"l": link("/etc/passwd")}),
        "up": commit(base, {"l": link("../../..")}),
        "below": commit(base, {"l": None, "l/x": link("deep")}),
        "bumped": commit(base, {"sub": (SUBMODULE_MODE, ObjectSha("2" * 40))}),
        "dropped": commit(base, {"sub": None}),
    }
    found = {(one.head, one.other): one.paths for one in find_all_conflicts(factory, heads)}
    assert found == {
        ("out", "up"): ("l",),
        ("out", "below"): ("l",),
        ("up", "below"): ("l",),
        ("bumped", "dropped"): ("sub",),
    }
    outcome = replay_branch(factory, floor=base, tip=heads["bumped"], onto=heads["out"])
    assert isinstance(outcome, Restacked)
    assert {entry.path: entry.sha for entry in factory.list_tree(outcome.tip)}["sub"] == "2" * 40


def test_a_commit_that_changes_nothing_is_dropped_and_what_follows_stays(yard: Yard) -> None:
    empty = yard.factory.commit_tree(
        yard.factory.tree_of(yard.base), [yard.base], "nothing\n", author=ADA, committer=ADA
    )
    tip, onto = yard.commit(empty, {"new": "1\n"}), yard.commit(yard.base, {"m": "1\n"})
    outcome = replay_branch(yard.factory, floor=yard.base, tip=tip, onto=onto)
    assert isinstance(outcome, Restacked)
    assert (outcome.dropped, set(yard.files(outcome.tip))) == ((empty,), {"a", "b", "c", "m", "new"})


@pytest.mark.parametrize("is_first", [True, False])
def test_a_persons_merge_of_the_base_lives_through_the_landing_of_a_parent(
    yard: Yard, tmp_path: Path, is_first: bool
) -> None:
    stage = Stage.open(yard, tmp_path)
    stage.publish({"a": ([], [{"fa": "1\n"}]), "b": (["a"], [{"fb": "1\n"}])})
    sides = [stage.tip("b"), stage.move_main({"m": "1\n"})]
    outcome = yard.factory.merge_tree(*sides)
    assert isinstance(outcome, Merged)
    parents = sides if is_first else sides[::-1]
    stage.put(branch("b"), yard.factory.commit_tree(outcome.tree, parents, "Merge\n", author=ADA, committer=ADA))
    assert not stage.keep().blocked
    stage.land("a")
    stage.keep()
    assert (stage.bases(), stage.diff("b")) == ({"b": "main"}, {"fb": "A"})


@given(run=st.text(max_size=120), task=st.text(max_size=120))
@settings(max_examples=40)
def test_whatever_a_task_is_called_its_branch_is_a_valid_one_of_the_factorys(run: str, task: str) -> None:
    name = branch_name(run, task)
    assert checked_factory_ref(name) == f"refs/heads/{name}"
    assert name.count("/") == 2
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Zs") for character in name)


@pytest.mark.parametrize(
    "name",
    [
        "factory/../main", "refs/heads/factory/../../main", "factory/r/a:refs/heads/main", "+factory/r/a",
        "factory/r/a\n", "factory//x", "FACTORY/r/a", "refs/heads/factory/", "factory/r/a.lock", "refs/tags/factory/x",
        "factory/*", "factory/r/@{u}", "factory/r/a\\b", "factory/r/\0", "-factory/r/a", "factory", "HEAD",
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_never_pushed(name: str) -> None:
    with pytest.raises(ForbiddenRef):
        checked_factory_ref(name)
