"""From a configuration and a remote to a repository on GitHub, a way in and a token; each fault told first."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.github.faults import Fault
from fakes.github.fixtures import GitHubService
from fakes.github.ground import Ground
from fakes.github.service import APP_ID, INSTALLATION_ID
from switchyard_git import Repository
from switchyard_merge import ForgeRefused

from switchyard.cli.main import main
from switchyard.errors import ConfigError, UsageError
from switchyard.forges import connect, github_address
from switchyard.workspace import Workspace, open_workspace

Lay = Callable[[str, str], Workspace]
ENTERPRISE = 'base_url = "https://git.example.org/api/v3"'


@pytest.fixture
def lay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lay:
    """Makes a repository with that remote and those lines under [forge]."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def made(remote: str, lines: str = "") -> Workspace:
        repository = Repository.init(tmp_path / "repo")
        if remote:
            subprocess.run(("git", "-C", tmp_path / "repo", "remote", "add", "origin", remote), check=True)
        (tmp_path / "repo" / "switchyard.toml").write_text(f'[forge]\nkind = "github"\n{lines}\n')
        return open_workspace(repository.worktree, environ={})

    return made


@pytest.mark.parametrize(
    ("remote", "lines", "url"),
    [
        ("https://github.com/o/r.git", "", "https://github.com/o/r.git"),
        ("https://ada:secret@github.com/o/r", "", "https://github.com/o/r.git"),
        ("git@github.com:o/r.git", "", "https://github.com/o/r.git"),
        ("ssh://git@ssh.github.com:443/o/r.git", "", "https://github.com/o/r.git"),
        ("git@github.com:o/r.git", 'repository = "O/R"', "https://github.com/O/R.git"),
        ("git@work:o/r.git", 'repository = "o/r"', "https://github.com/o/r.git"),
        ("", 'repository = "o/r"', "https://github.com/o/r.git"),
        ("git@git.example.org:o/r.git", ENTERPRISE, "https://git.example.org/o/r.git"),
        ("https://a.ghe.com/o/r", 'base_url = "https://api.a.ghe.com"', "https://a.ghe.com/o/r.git"),
    ],
)
def test_git_goes_over_https_to_what_the_remote_or_the_key_names(lay: Lay, remote: str, lines: str, url: str) -> None:
    upstream = connect(lay(remote, lines), {"GITHUB_TOKEN": "secret"}).upstream
    assert upstream.target == url
    assert upstream.access is not None and upstream.access.serves(url)
    assert "secret" not in f"{upstream}"


@pytest.mark.parametrize(
    ("remote", "lines", "said", "hint"),
    [
        ("", "", "there is no remote 'origin'", "git remote add origin https://github.com/"),
        ("/srv/x.git", "", "is no repository on GitHub", 'remote = ""'),
        ("https://me:secret@gitlab.example.org/o/r.git", "", "is on gitlab.example.org", ENTERPRISE[:20]),
        ("git@work:o/r.git", "", "is on work, and the forge is github.com", 'repository = "owner/name"'),
        ("https://github.com/o/r", ENTERPRISE, "is on github.com, and the forge is git.example.org", "base_url"),
        (
            "git@github.com:o/fork.git",
            'repository = "o/r"',
            "repository is o/r, and remote 'origin' leads to o/fork",
            "",
        ),
    ],
)
def test_what_does_not_fit_is_told(lay: Lay, remote: str, lines: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        github_address(lay(remote, lines))
    assert said in str(caught.value)
    assert hint in caught.value.hint
    assert "secret" not in f"{caught.value}{caught.value.hint}"


def test_an_apps_key_is_read_from_where_the_configuration_says(lay: Lay, tmp_path: Path) -> None:
    lines = 'app_id = 7\nprivate_key_env = "FACTORY_KEY"'
    workspace = lay("git@github.com:o/r.git", lines)
    with pytest.raises(UsageError, match="the environment has no FACTORY_KEY"):
        connect(workspace, {})
    # A variable that is set for this very purpose goes before the file.
    assert connect(workspace, {"GITHUB_TOKEN": "t"}).upstream.access is not None
    for broken, said in (
        ("app_id = 7", "needs one of private_key_env and private_key_file"),
        (f'{lines}\nprivate_key_file = "/key.pem"', "needs one of"),
        ('private_key_file = "/key.pem"', "need app_id"),
        ('app_id = 7\nprivate_key_file = "key.pem"', "must be absolute"),
    ):
        (workspace.root / "switchyard.toml").write_text(f'[forge]\nkind = "github"\n{broken}\n')
        with pytest.raises(ConfigError, match=said):
            open_workspace(workspace.root, environ={})
    (workspace.root / "switchyard.toml").write_text(
        f'[forge]\nkind = "github"\napp_id = 7\nprivate_key_file = "{tmp_path}/absent.pem"\n'
    )
    with pytest.raises(UsageError, match="no private key can be read"):
        connect(open_workspace(workspace.root, environ={}), {})


@pytest.mark.parametrize("installation", [None, INSTALLATION_ID])
def test_an_app_is_let_in_by_the_api_and_by_git(
    lay: Lay, github: Ground, github_service: GitHubService, installation: int | None
) -> None:
    lines = f'base_url = "{github.proxy.address}"\napp_id = {APP_ID}\nprivate_key_env = "FACTORY_KEY"'
    lines += f"\ninstallation_id = {installation}" if installation else ""
    workspace = lay(github.url, lines)
    connection = connect(workspace, {"FACTORY_KEY": github_service.app_key})
    connection.check()
    assert "token from GitHub App" in " ".join(line.detail for line in connection.examine())
    assert connection.upstream.let_in(workspace.repository).ls_remote(github.url)
    asked = [request.path for request in github.faults.seen if "installation" in request.path]
    assert len(asked) == (1 if installation else 2)


def test_doctor_tells_what_the_token_may_do_and_how_to_bind_it(
    lay: Lay, github: Ground, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = str(lay(github.url, f'base_url = "{github.proxy.address}"').root)
    monkeypatch.setenv("GITHUB_TOKEN", "tok_owner")
    main(["doctor", "--repo", repo])
    told = capsys.readouterr().out
    assert "token from GITHUB_TOKEN" in told
    assert f"main of {github.url} is at {github.heads()['main'][:10]}" in told
    assert f"repos/{github.full_name}/rulesets --input - <<'RULESET'" in told
    assert "tok_owner" not in told

    for token, said in (("tok_stranger", "may not push"), ("gho_wrong", "Bad credentials")):
        monkeypatch.setenv("GITHUB_TOKEN", token)
        github.faults.expired.add("gho_wrong")
        assert main(["doctor", "--repo", repo]) == 1
        assert said in capsys.readouterr().out
    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert main(["doctor", "--repo", repo]) == 1
    assert "set GITHUB_TOKEN, sign in with `gh auth login`" in capsys.readouterr().out


def test_a_command_that_waits_for_github_says_so(
    lay: Lay, github: Ground, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = str(lay(github.url, f'base_url = "{github.proxy.address}"').root)
    monkeypatch.setenv("GITHUB_TOKEN", "tok_owner")
    told = "You have exceeded a secondary rate limit"
    github.faults.add(Fault("GET", "/pulls", status=403, message=told, headers={"Retry-After": "2"}))
    assert main(["stack", "status", "--json", "--repo", repo]) == 0
    assert "waiting for GitHub: 2 s (secondary rate limit)" in capsys.readouterr().err


def test_a_run_without_a_way_in_ends_before_it_begins(lay: Lay, github: Ground) -> None:
    workspace = lay(github.url, f'base_url = "{github.proxy.address}"')
    connection = connect(workspace, {"GITHUB_TOKEN": "tok_stranger"})
    with pytest.raises(ForgeRefused, match="may not push"):
        connection.check()
    connect(workspace, {"GITHUB_TOKEN": "tok_owner"}).check()
