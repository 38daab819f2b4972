"""git is let in by a token that nobody can see, and tells it to one host only."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.github.ground import Ground
from switchyard_git import Access, CommitSha, GitError, RefName, RefUpdate, RemoteUnavailable, Repository

TOKEN = "tok_owner"
BRANCH = RefName("refs/heads/factory/r/a")


@pytest.fixture
def factory(github: Ground, tmp_path: Path) -> Repository:
    """A repository that has main, and is not let in yet."""
    repository = Repository.init_bare(tmp_path / "factory.git")
    repository.fetch(github.repository.git_dir, ["refs/heads/main:refs/heads/main"])
    return repository


def push(factory: Repository, github: Ground) -> CommitSha:
    tip = factory.resolve("main")
    factory.push(github.url, [RefUpdate(BRANCH, tip, None)])
    return tip


def test_every_command_is_let_in(factory: Repository, github: Ground) -> None:
    ours = factory.with_access(github.access())
    tip = push(ours, github)
    assert ours.ls_remote(github.url, [BRANCH]) == {BRANCH: tip}
    later = github.branch("factory/r/a", "later", parent="factory/r/a")
    ours.fetch(github.url, [f"+{BRANCH}:{BRANCH}"])
    assert ours.resolve(BRANCH) == later


def test_without_a_token_there_is_no_way_in_and_no_prompt(factory: Repository, github: Ground) -> None:
    with pytest.raises(RemoteUnavailable):
        push(factory, github)
    assert BRANCH.removeprefix("refs/heads/") not in github.heads()


def test_the_token_is_asked_for_at_every_command(factory: Repository, github: Ground) -> None:
    told: Iterator[str] = iter([TOKEN, "ghs_minted_later"])
    ours = factory.with_access(Access(github.address.host_url, lambda: next(told)))
    ours.ls_remote(github.url)
    github.faults.expired.add(TOKEN)
    push(ours, github)
    assert next(told, None) is None


def test_another_host_is_not_told(factory: Repository, github: Ground) -> None:
    asked: list[str] = []
    port = int(github.address.host_url.rpartition(":")[2])
    for other in ("https://github.com", f"http://127.0.0.1:{port + 1}", f"https://127.0.0.1:{port}"):
        ours = factory.with_access(Access(other, lambda: asked.append("told") or TOKEN))
        with pytest.raises(RemoteUnavailable):
            ours.ls_remote(github.url)
    assert asked == []


def test_a_repository_that_is_not_trusted_is_never_let_in(factory: Repository, github: Ground) -> None:
    hostile = Repository.open(factory.git_dir, trusted=False).with_access(github.access())
    with pytest.raises(RemoteUnavailable):
        hostile.ls_remote(github.url)


def test_no_process_shows_the_token(factory: Repository, github: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    seen: list[tuple[int, bool]] = []
    github.proxy.on_git = lambda: seen.extend(processes_with(TOKEN))
    push(factory.with_access(github.access()), github)
    assert any(pid for pid, _ in seen), "no git was seen at work"
    assert [pid for pid, shows in seen if shows] == []


def processes_with(secret: str) -> list[tuple[int, bool]]:
    """The gits of this machine that run now below this test, and whether argv or environment holds the secret."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdecimal() and int(folder.name) != os.getpid():
                command, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
                if b"git" in command and str(os.environ["HOME"]).encode() in environment:
                    found.append((int(folder.name), secret.encode() in command + environment))
    return found


def test_no_file_keeps_the_token(factory: Repository, github: Ground, tmp_path: Path) -> None:
    home = Path(os.environ["HOME"])
    (home / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    push(factory.with_access(github.access()), github)
    assert not (home / ".git-credentials").exists()
    written = [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert written == []


def test_no_message_quotes_the_token(factory: Repository, github: Ground) -> None:
    wrong = "gho_wrong_and_secret"
    ours = factory.with_access(Access(github.address.host_url, lambda: wrong))
    with pytest.raises(RemoteUnavailable) as caught:
        push(ours, github)
    assert wrong not in f"{caught.value}{caught.value.hint}{ours!r}{caught.value.__cause__}"


@pytest.mark.parametrize("value", ["", "one\nhost=elsewhere", "x" * 20_000])
def test_what_is_no_password_is_refused_before_git_runs(factory: Repository, github: Ground, value: str) -> None:
    ours = factory.with_access(Access(github.address.host_url, lambda: value))
    with pytest.raises(GitError) as caught:
        ours.ls_remote(github.url)
    assert caught.value.hint


def test_a_users_rewriting_of_addresses_takes_no_command_elsewhere(factory: Repository, github: Ground) -> None:
    host = github.address.host_url
    for key in ("insteadOf", "pushInsteadOf"):
        rewriting = f'[url "ssh://git@nowhere.invalid/"]\n\t{key} = {host}/\n'
        (Path(os.environ["HOME"]) / ".gitconfig").write_text(rewriting)
        assert factory.with_access(github.access()).ls_remote(github.url)
        if key == "pushInsteadOf":
            push(factory.with_access(github.access()), github)
