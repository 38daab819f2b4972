"""Objects are read and written without a worktree, whatever bytes their paths hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from switchyard_git import FILE_MODE, Change, GitError, ObjectSha, Repository, Signature, UnknownRevision

Git = Callable[..., str]
ADA = Signature("Ada Lovelace", "ada@example.org", 1_700_000_000)


@pytest.fixture
def repository(folder: Path) -> Repository:
    return Repository.open(folder)


def test_paths_with_newlines_spaces_and_bytes_that_are_not_utf8_survive(repository: Repository, git: Git) -> None:
    paths = ["new\nline", "a tab\there", "caf\u00e9", "latin-\udce9", 'quote"d', "-dash", "sp ace/in side"]
    blob = repository.write_blob(b"content\n")
    tree = repository.write_tree_from(None, dict.fromkeys(paths, (FILE_MODE, blob)))
    assert sorted(entry.path for entry in repository.list_tree(tree)) == sorted(paths)
    commit = repository.commit_tree(tree, [], "odd paths", author=ADA, committer=ADA)
    for path in paths:
        assert repository.read_blob(commit, path) == b"content\n"
    assert sorted(change.path for change in repository.changes("main", commit) if change.status == "A") == sorted(paths)
    assert b"latin-\xe9" in repository._ask("ls-tree", "-z", "--name-only", tree)


def test_the_same_commit_has_the_same_id_as_from_git(repository: Repository, git: Git, folder: Path) -> None:
    parent = repository.resolve("main")
    made = [
        repository.commit_tree(repository.tree_of(parent), [parent], "Say é\n\nbody\n", author=ADA, committer=ADA)
        for _ in range(2)
    ]
    assert made[0] == made[1]
    (commit,) = repository.read_commits([made[0]])
    assert (commit.author, commit.committer, commit.parents) == (ADA, ADA, (parent,))
    assert (commit.subject, commit.message) == ("Say é", "Say é\n\nbody\n")
    assert git(folder, "show", "-s", "--format=%an|%ae|%at", made[0]) == "Ada Lovelace|ada@example.org|1700000000"


def test_a_tree_is_changed_through_an_index_of_its_own(repository: Repository, folder: Path, git: Git) -> None:
    blob = repository.write_blob(b"new\n")
    index = (folder / ".git" / "index").read_bytes()
    tree = repository.write_tree_from(
        repository.tree_of("main"),
        {"a.txt": None, "a.txt/now a folder": (FILE_MODE, blob), "dir": (FILE_MODE, blob), "run.sh": ("100755", blob)},
    )
    assert [(entry.path, entry.mode) for entry in repository.list_tree(tree)] == [
        ("a.txt/now a folder", FILE_MODE),
        ("dir", FILE_MODE),
        ("run.sh", "100755"),
    ]
    assert (folder / ".git" / "index").read_bytes() == index
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.parametrize("path", [".git/config", "a/../../b", "/etc/passwd", "a//b", "dir/.git/hooks/x"])
def test_a_path_that_leaves_the_tree_is_refused(repository: Repository, path: str) -> None:
    blob = repository.write_blob(b"evil")
    with pytest.raises(GitError):
        repository.write_tree_from(repository.tree_of("main"), {path: (FILE_MODE, blob)})


def test_a_blob_is_stored_as_it_is(folder: Path, git: Git) -> None:
    git(folder, "config", "core.autocrlf", "true")
    (folder / ".gitattributes").write_text("* text eol=lf\n")
    repository = Repository.open(folder)
    content = b"crlf\r\nmixed\n\x00binary"
    assert list(repository.read_blobs([repository.write_blob(content)])) == [(repository.write_blob(content), content)]


def test_many_blobs_come_in_the_order_asked_for(repository: Repository) -> None:
    shas = [repository.write_blob(f"{number}\n".encode()) for number in range(20)]
    wanted = [shas[number % 20] for number in range(1100)]
    assert [content for _, content in repository.read_blobs(wanted)] == [
        f"{number % 20}\n".encode() for number in range(1100)
    ]
    with pytest.raises(UnknownRevision, match="0000"):
        list(repository.read_blobs([shas[0], ObjectSha("0" * 40)]))


def test_what_is_no_file_has_no_content(repository: Repository) -> None:
    assert repository.read_blob("main", "a.txt") == b"one\n"
    for path in ("dir", "missing", "", "../a.txt", "./a.txt"):
        assert repository.read_blob("main", path) is None
    with pytest.raises(UnknownRevision):
        repository.read_blob("no-such", "a.txt")


def test_sizes_are_told_when_asked_for(repository: Repository) -> None:
    assert [(entry.path, entry.size_bytes) for entry in repository.list_tree("main", sizes=True)] == [
        ("a.txt", 4),
        ("dir/b.txt", 4),
    ]
    assert repository.list_tree("main")[0].size_bytes is None


def test_changes_name_modes_links_and_renames(repository: Repository) -> None:
    base = repository.tree_of("main")
    files = {entry.path: entry for entry in repository.list_tree(base)}
    link = repository.write_blob(b"a.txt")
    after = repository.write_tree_from(
        base,
        {
            "a.txt": ("100755", files["a.txt"].sha),
            "dir/b.txt": None,
            "moved/b.txt": (FILE_MODE, files["dir/b.txt"].sha),
            "link": ("120000", link),
        },
    )
    plain = {change.path: change for change in repository.changes(base, after)}
    assert (plain["a.txt"].old_mode, plain["a.txt"].new_mode) == ("100644", "100755")
    assert (plain["link"].status, plain["link"].new_mode) == ("A", "120000")
    assert {path: change.status for path, change in plain.items()} == {
        "a.txt": "M", "dir/b.txt": "D", "moved/b.txt": "A", "link": "A",
    }  # fmt: skip
    renamed = next(change for change in repository.changes(base, after, renames=True) if change.status == "R")
    sha = files["dir/b.txt"].sha
    assert renamed == Change("R", "moved/b.txt", "dir/b.txt", FILE_MODE, FILE_MODE, sha, sha)


def test_a_patch_can_be_applied_and_is_cut_at_its_limit(repository: Repository, folder: Path, git: Git) -> None:
    binary = repository.write_blob(bytes(range(256)) * 40)
    tree = repository.write_tree_from(repository.tree_of("main"), {"a.txt": None, "x.bin": (FILE_MODE, binary)})
    patch = repository.patch("main", tree, max_bytes=1_000_000)
    git(folder, "apply", "--index", "-", input=patch)
    assert git(folder, "write-tree") == tree
    assert repository.patch("main", tree, max_bytes=50) == patch[:50]
    assert repository.patch("main", "main", max_bytes=50) == b""


def test_what_each_commit_touched_is_read_in_one_go(repository: Repository, folder: Path, git: Git) -> None:
    git(folder, "checkout", "-qb", "side")
    (folder / "s").write_text("s")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "side")
    git(folder, "checkout", "-q", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "empty")
    (folder / "m").write_text("m")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "m")
    git(folder, "merge", "-q", "side", "-m", "both")
    names = {name: repository.resolve(name) for name in ("main", "main~1", "main~2", "side", "main~3")}
    touched = repository.touched(names.values())
    paths = {name: {change.path for change in touched.get(sha, [])} for name, sha in names.items()}
    assert paths == {
        "main": {"s", "m"}, "main~1": {"m"}, "main~2": set(), "side": {"s"}, "main~3": {"a.txt", "dir/b.txt"},
    }  # fmt: skip


def test_the_first_parents_are_listed_newest_first(repository: Repository, folder: Path, git: Git) -> None:
    first = repository.resolve("main")
    for number in range(3):
        git(folder, "commit", "-q", "--allow-empty", "-m", f"c{number}")
    assert [commit.subject for commit in repository.first_parent_log("main", limit=2)] == ["c2", "c1"]
    since = repository.first_parent_log("main", limit=10, exclude=first)
    assert [commit.subject for commit in since] == ["c2", "c1", "c0"]
    assert repository.first_parent_log("main", limit=10, exclude=repository.resolve("main")) == []


def test_a_bundle_brings_its_refs_elsewhere(repository: Repository, tmp_path: Path, git: Git) -> None:
    file = tmp_path / "out dir.bundle"
    repository.bundle(file, ["refs/heads/main"])
    other = Repository.init_bare(tmp_path / "other.git")
    other.fetch(file, ["+refs/heads/*:refs/heads/*"])
    assert other.resolve("main") == repository.resolve("main")


_NAMES = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0/"), min_size=1, max_size=12
).filter(lambda name: name not in (".", "..") and not name.lower().startswith((".git", "git~")))


@given(files=st.dictionaries(_NAMES, st.binary(max_size=64), max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_is_what_is_read(repository: Repository, files: dict[str, bytes]) -> None:
    shas = {path: repository.write_blob(content) for path, content in files.items()}
    tree = repository.write_tree_from(None, {path: (FILE_MODE, sha) for path, sha in shas.items()})
    assert {entry.path: entry.sha for entry in repository.list_tree(tree)} == shas
    assert dict(repository.read_blobs(list(shas.values()))) == {shas[path]: files[path] for path in files}
