"""Nothing of the caller's environment steers git, and nothing of a repository runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from switchyard_git import (
    GitError,
    GitTimeout,
    ObjectSha,
    RefName,
    RefUpdate,
    Repository,
    Signature,
    UntrustedRepository,
)
from switchyard_git.process import Settings, clean_environment, run

Git = Callable[..., str]
ADA = Signature("Ada", "ada@example.org", 1_700_000_000)


@pytest.fixture
def trap(tmp_path: Path) -> Callable[[Path], Path]:
    """A program that leaves a mark when it runs."""

    def lay(where: Path) -> Path:
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(f"#!/bin/sh\ntouch '{tmp_path}/sprung'\ncat >/dev/null 2>&1\n")
        where.chmod(0o755)
        return tmp_path / "sprung"

    return lay


def test_an_inherited_git_dir_does_not_redirect(folder: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    other = folder.parent / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_COMMON_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / "objects"))
    repository = Repository.open(folder)
    assert repository.git_dir == folder / ".git"
    assert repository.common_dir == folder / ".git"
    assert repository.worktree == folder
    assert repository.resolve("main")
    assert not repository.is_dirty()
    assert repository.remotes() == []


def test_inherited_configuration_from_the_environment_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    inherited = {"GIT_CONFIG_COUNT": "1", "GIT_SSH_COMMAND": "evil", "SSH_ASKPASS": "evil", "HOME": "/h", "PATH": "/p"}
    env = clean_environment(inherited, Settings.USER)
    assert "GIT_CONFIG_COUNT" not in env
    assert "GIT_SSH_COMMAND" not in env
    assert "SSH_ASKPASS" not in env
    assert env["HOME"] == "/h"
    assert env["GIT_TERMINAL_PROMPT"] == "0"


def test_hooks_of_a_repository_do_not_fire(folder: Path, git: Git, trap: Callable[[Path], Path]) -> None:
    for hook in ("pre-push", "reference-transaction", "post-index-change", "post-checkout", "fsmonitor-watchman"):
        sprung = trap(folder / ".git" / "hooks" / hook)
    repository = Repository.open(folder)
    head = repository.resolve("main")
    origin = Repository.init_bare(folder.parent / "origin.git")
    repository.update_refs([RefUpdate(RefName("refs/heads/factory/r/t"), head, None)])
    repository.push(origin.git_dir, [RefUpdate(RefName("refs/heads/factory/r/t"), head, None)])
    repository.fetch(origin.git_dir, ["+refs/heads/*:refs/remotes/o/*"])
    repository.write_tree_from(repository.tree_of("main"), {"a.txt": None})
    assert repository.is_dirty() is False
    assert not sprung.exists()
    git(folder, "update-ref", "refs/heads/proof", head)
    assert sprung.exists(), "the trap itself must work"


def test_a_file_system_monitor_of_a_repository_does_not_fire(
    folder: Path, git: Git, trap: Callable[[Path], Path]
) -> None:
    sprung = trap(folder.parent / "monitor.sh")
    git(folder, "config", "core.fsmonitor", str(folder.parent / "monitor.sh"))
    repository = Repository.open(folder)
    assert not repository.is_dirty()
    assert repository.worktree_files() == ["a.txt", "dir/b.txt"]
    assert not sprung.exists()
    git(folder, "status")
    assert sprung.exists(), "the trap itself must work"


def test_an_external_diff_or_text_conversion_does_not_run(folder: Path, git: Git, trap: Callable[[Path], Path]) -> None:
    sprung = trap(folder.parent / "diff.sh")
    git(folder, "config", "diff.external", str(folder.parent / "diff.sh"))
    git(folder, "config", "diff.evil.textconv", str(folder.parent / "diff.sh"))
    (folder / ".gitattributes").write_text("*.txt diff=evil\n")
    (folder / "a.txt").write_text("changed\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "second")
    repository = Repository.open(folder)
    assert b"+changed" in repository.patch("main~1", "main", max_bytes=10_000)
    assert [change.path for change in repository.changes("main~1", "main")] == [".gitattributes", "a.txt"]
    assert not sprung.exists()


def test_an_object_that_a_partial_clone_lacks_is_not_fetched(
    folder: Path, git: Git, trap: Callable[[Path], Path]
) -> None:
    mark = trap(folder.parent / "upload-pack")
    (folder / "lacking").write_text("here once\n")
    blob = git(folder, "hash-object", "-w", "lacking").strip()
    (folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    for name, value in (
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", str(folder)),
        ("remote.origin.uploadpack", str(folder.parent / "upload-pack")),
    ):
        git(folder, "config", name, value)
    with pytest.raises(GitError):
        list(Repository.open(folder).read_blobs([ObjectSha(blob)]))
    assert not mark.exists()


def test_a_helper_program_named_in_a_url_is_refused(folder: Path, tmp_path: Path, own_home: Path) -> None:
    (own_home / ".gitconfig").write_text('[protocol "ext"]\n\tallow = always\n')
    repository = Repository.open(folder)
    with pytest.raises(GitError):
        repository.fetch(f"ext::sh -c touch% {tmp_path}/sprung", ["refs/heads/main"])
    with pytest.raises(GitError, match="no URL"):
        repository.ls_remote(f"--upload-pack=touch {tmp_path}/sprung")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "setting",
    [
        "core.sshCommand",
        "filter.evil.clean",
        "merge.evil.driver",
        "diff.evil.command",
        "credential.helper",
        "include.path",
        "url.https://evil.example/.insteadOf",
        "remote.origin.uploadpack",
        "core.worktree",
    ],
)
def test_an_untrusted_repository_that_would_run_something_is_refused(folder: Path, git: Git, setting: str) -> None:
    assert Repository.open(folder, trusted=False).trusted is False
    git(folder, "config", setting, "/bin/evil")
    with pytest.raises(UntrustedRepository) as caught:
        Repository.open(folder.parent / folder.name / ".git", trusted=False)
    assert setting.split(".")[0].lower() in caught.value.reason
    assert caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a repository to somebody else")
def test_a_repository_of_somebody_else_is_refused_until_it_is_listed_as_safe(folder: Path, own_home: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    with pytest.raises(UntrustedRepository, match="another user") as caught:
        Repository.open(folder)
    assert "safe.directory" in caught.value.hint
    (own_home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {folder}\n")
    assert Repository.open(folder).resolve("main")


def test_the_users_settings_do_not_change_what_git_answers(folder: Path, git: Git, own_home: Path) -> None:
    git(folder, "mv", "a.txt", "renamed.txt")
    git(folder, "commit", "-qm", "rename")
    repository = Repository.open(folder)
    before = repository.changes("main~1", "main")
    (own_home / ".gitconfig").write_text("[diff]\n\trenames = copies\n\tnoprefix = true\n[core]\n\tabbrev = 4\n")
    assert repository.changes("main~1", "main") == before
    assert {change.status for change in before} == {"A", "D"}
    assert b"diff --git a/a.txt b/a.txt" in repository.patch("main~1", "main", max_bytes=10_000)


def test_replaced_objects_are_not_looked_at(folder: Path, git: Git) -> None:
    repository = Repository.open(folder)
    real, false = repository.write_blob(b"real"), repository.write_blob(b"false")
    git(folder, "replace", real, false)
    assert dict(repository.read_blobs([real]))[real] == b"real"


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"]}
    started = time.monotonic()
    with pytest.raises(GitTimeout) as caught:
        run(("sh", "-c", f"sleep 30 & echo $! > {tmp_path}/pid; wait"), cwd=tmp_path, env=env, timeout_s=0.5)
    assert time.monotonic() - started < 5
    assert caught.value.hint
    child = Path("/proc") / (tmp_path / "pid").read_text().strip() / "stat"
    deadline = time.monotonic() + 5
    while child.exists() and child.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_output_beyond_the_limit_is_cut_and_the_program_stopped(tmp_path: Path) -> None:
    done = run(("yes",), cwd=tmp_path, env={"PATH": os.environ["PATH"]}, timeout_s=10, limit_bytes=1000)
    assert done.truncated
    assert len(done.stdout) == 1000


def test_large_input_and_output_do_not_block(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    done = run(("cat",), cwd=tmp_path, env={"PATH": os.environ["PATH"]}, timeout_s=10, stdin=content)
    assert done.stdout == content
