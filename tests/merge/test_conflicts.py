"""Conflicts are found before a push; the filter never hides one that git would report."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from switchyard_git import CommitSha, Conflicted, UnrelatedHistories
from switchyard_merge import conflicts, find_all_conflicts, find_conflicts, join_of
from switchyard_merge.joins import Joined
from yard import LONG, WHO, Yard

Tip = Callable[[str], CommitSha]


@pytest.fixture
def crowd(yard: Yard) -> dict[str, CommitSha]:
    """Branches that touch nothing of the others', enough of them that the filter pays."""
    return {f"calm-{number}": yard.commit(yard.base, {f"calm/{number}": "x\n"}) for number in range(8)}


def test_siblings_that_edit_the_same_lines_are_reported_with_the_file(
    yard: Yard, tip: Tip, crowd: dict[str, CommitSha]
) -> None:
    rival = yard.commit(yard.base, {"a": f"rival\n{LONG}", "b": f"fine\n{LONG}"})
    (found,) = find_conflicts(yard.factory, tip("a"), {**crowd, "rival": rival, "calm": tip("c")}, name="mine")
    assert (found.head, found.other, found.paths) == ("mine", "rival", ("a",))
    assert {message.kind for message in found.messages if message.is_conflict} == {"CONFLICT (contents)"}


def test_a_branch_and_what_stands_on_it_do_not_conflict(yard: Yard, tip: Tip) -> None:
    one = tip("a")
    above = yard.commit(one, {"a": "all new\n"})
    assert find_conflicts(yard.factory, above, {"below": one, "base": yard.base, "same": above}) == []
    assert find_conflicts(yard.factory, one, {"above": above}) == []


def test_every_pair_is_looked_at(yard: Yard, tip: Tip, crowd: dict[str, CommitSha]) -> None:
    heads = {**crowd, "x": yard.commit(yard.base, {"a": "1"}), "y": yard.commit(yard.base, {"a": "2"}), "z": tip("a")}
    found = {(conflict.head, conflict.other) for conflict in find_all_conflicts(yard.factory, heads)}
    assert found == {("x", "y"), ("x", "z"), ("y", "z")}


def test_a_join_is_compared_with_what_it_does_not_hold(yard: Yard, tip: Tip) -> None:
    joined = join_of(yard.factory, [tip("a"), tip("b")], who=WHO)
    assert isinstance(joined, Joined)
    rival = yard.commit(yard.base, {"b": "rival\n"})
    assert [one.other for one in find_conflicts(yard.factory, joined.commit, {"held": tip("a"), "rival": rival})] == [
        "rival"
    ]


def test_a_line_that_was_put_back_still_counts_as_touched(yard: Yard, crowd: dict[str, CommitSha]) -> None:
    changed = yard.commit(yard.base, {"a": f"early\n{LONG}"})
    other = yard.commit(changed, {"a": f"early and more\n{LONG}"})
    back = yard.commit(changed, {"a": LONG})
    heads = {**crowd, "other": other, "back": back}
    assert [(one.head, one.other) for one in find_all_conflicts(yard.factory, heads)] == [("other", "back")]


@pytest.mark.parametrize("turned", [False, True])
def test_a_file_where_the_other_has_a_folder_is_reported(yard: Yard, crowd: dict[str, CommitSha], turned: bool) -> None:
    file, folder = yard.commit(yard.base, {"new": "file\n"}), yard.commit(yard.base, {"new/inside": "text\n"})
    one, other = (folder, file) if turned else (file, folder)
    found = find_all_conflicts(yard.factory, {**crowd, "one": one, "other": other})
    assert [(conflict.head, conflict.other) for conflict in found] == [("one", "other")]


@pytest.mark.parametrize("turned", [False, True])
def test_a_file_added_to_a_directory_that_the_other_renamed_is_reported(yard: Yard, turned: bool) -> None:
    base = yard.commit(yard.base, {f"old/{name}": name * 50 for name in "abc"})
    calm = {f"calm-{number}": yard.commit(base, {f"calm/{number}": "x\n"}) for number in range(8)}
    gone: dict[str, str | None] = {f"old/{name}": None for name in "abc"}
    moved = yard.commit(base, gone | {f"new/{name}": name * 50 for name in "abc"})
    added = yard.commit(base, {"old/d": "added\n"})
    one, other = (added, moved) if turned else (moved, added)
    found = find_all_conflicts(yard.factory, {**calm, "one": one, "other": other})
    assert [(conflict.head, conflict.other) for conflict in found] == [("one", "other")]


def test_an_early_commit_of_a_branch_counts_as_much_as_its_last(
    yard: Yard, tip: Tip, crowd: dict[str, CommitSha]
) -> None:
    early = yard.commit(yard.commit(yard.base, {"a": "early\n"}), {"later": "x\n"})
    found = find_all_conflicts(yard.factory, {**crowd, "early": early, "rival": tip("a")})
    assert [(conflict.head, conflict.other) for conflict in found] == [("early", "rival")]


def test_histories_without_a_common_commit_are_told(yard: Yard) -> None:
    with pytest.raises(UnrelatedHistories):
        find_conflicts(yard.factory, yard.base, {"alien": yard.commit(None, {"z": "z"})})


def test_nothing_to_compare_with_is_no_conflict(yard: Yard) -> None:
    assert find_conflicts(yard.factory, yard.base, {}) == []
    assert find_all_conflicts(yard.factory, {}) == []


_PATHS = st.sampled_from(
    ["dir/a", "dir/b", "dir/c", "dir/sub/d", "other/e", "top", "dir", "top/f", "dir/sub", "moved/a"]
)
_EDITS = st.lists(
    st.tuples(st.sampled_from(["edit", "remove", "move", "move directory"]), _PATHS, _PATHS), min_size=1, max_size=3
)
_START = {path: f"{path}\n{LONG}" for path in ("dir/a", "dir/b", "dir/c", "dir/sub/d", "other/e", "top")}


def _changed(yard: Yard, parent: CommitSha, edits: list[tuple[str, str, str]], mark: str) -> CommitSha:
    files = yard.files(parent)
    for kind, path, target in edits:
        match kind:
            case "edit":
                files = {name: text for name, text in files.items() if not name.startswith(f"{path}/")}
                files[path] = f"{mark} {path}\n{LONG}"
            case "remove":
                files.pop(path, None)
            case "move" if path in files and target not in files:
                files[target] = files.pop(path)
            case "move directory":
                files = {f"new-{name}" if name.startswith(f"{path}/") else name: text for name, text in files.items()}
    kept = {name: text for name, text in files.items() if not any(other.startswith(f"{name}/") for other in files)}
    gone: dict[str, str | None] = {name: None for name in yard.files(parent) if name not in kept}
    return yard.commit(parent, gone | kept)


def _grown(yard: Yard, branches: list[list[list[tuple[str, str, str]]]]) -> tuple[CommitSha, dict[str, CommitSha]]:
    """A base, and branches on it: one commit for each step."""
    base = yard.commit(None, _START)
    heads = {}
    for number, steps in enumerate(branches):
        head = base
        for step in steps:
            head = _changed(yard, head, step, str(number))
        heads[str(number)] = head
    return base, heads


@given(branches=st.lists(st.lists(_EDITS, min_size=1, max_size=2), min_size=2, max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_filter_loses_no_conflict_that_git_would_report(
    yard: Yard, branches: list[list[list[tuple[str, str, str]]]]
) -> None:
    base, heads = _grown(yard, branches)
    commits = yard.factory.ancestry(list(heads.values()), base)
    touched = yard.factory.touched(commits)
    prints = {
        name: conflicts.footprint(
            change for commit in yard.factory.ancestry([head], base) for change in touched.get(commit, ())
        )
        for name, head in heads.items()
    }
    pairs = [(one, other) for one in heads for other in heads if one < other]
    outcomes = yard.factory.merge_trees([(heads[one], heads[other]) for one, other in pairs])
    for (one, other), outcome in zip(pairs, outcomes, strict=True):
        if isinstance(outcome, Conflicted):
            assert prints[one].may_clash(prints[other])
            assert prints[other].may_clash(prints[one])


@given(branches=st.lists(st.lists(_EDITS, min_size=1, max_size=2), min_size=3, max_size=3))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_called_clean_is_what_git_merge_merges(
    yard: Yard, tmp_path_factory: pytest.TempPathFactory, branches: list[list[list[tuple[str, str, str]]]]
) -> None:
    _, heads = _grown(yard, branches)
    predicted = {(one.head, one.other) for one in find_all_conflicts(yard.factory, heads)}
    work = tmp_path_factory.mktemp("merge")
    pairs = {(one, other) for one in heads for other in heads if one < other and heads[one] != heads[other]}
    assert predicted == {pair for pair in pairs if not _merges(yard, work, heads[pair[0]], heads[pair[1]])}


def _merges(yard: Yard, work: Path, ours: CommitSha, theirs: CommitSha) -> bool:
    """Whether `git merge` in a work tree comes to an end."""
    settings = ("user.name=x", "user.email=x@x", "merge.directoryRenames=conflict")
    git = ("git", f"--git-dir={yard.factory.git_dir}", f"--work-tree={work}", "-c", "core.bare=false")
    git += tuple(word for setting in settings for word in ("-c", setting))
    subprocess.run((*git, "read-tree", "--reset", "-u", ours), cwd=work, check=True, capture_output=True)
    subprocess.run((*git, "update-ref", "--no-deref", "HEAD", ours), cwd=work, check=True)
    done = subprocess.run((*git, "merge", "--no-commit", "--no-ff", theirs), cwd=work, check=False, capture_output=True)
    subprocess.run((*git, "reset", "--quiet", "--hard"), cwd=work, check=True)
    subprocess.run((*git, "clean", "-qfdx"), cwd=work, check=True)
    return done.returncode == 0
