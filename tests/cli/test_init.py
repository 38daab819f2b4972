"""`switchyard init`: what it finds in a repository, what it writes, and what it never touches."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

import pytest

from switchyard.config import load_config

from .conftest import Shell

PYPROJECT = '[project]\nname = "shop"\nversion = "1"\n'
PYTEST = "import pytest\n"
NPM_TEST = json.dumps({"scripts": {"test": "jest"}, "devDependencies": {"jest": "29"}})


def proposal(shell: Shell, files: dict[str, str]) -> dict[str, object]:
    shell.commit(files)
    ending = shell.run("init", "--json")
    assert ending.code == 0, ending.err
    document = ending.document
    written = load_config(shell.folder / "switchyard.toml")
    assert list(written.sandbox.setup) == document["setup"]
    assert list(written.sandbox.setup_network) == document["setup_network"]
    assert written.checks == document["checks"]
    return document  # type: ignore[no-any-return]


def test_it_writes_a_valid_configuration_and_an_example(shell: Shell) -> None:
    shell.commit({"a.py": ""})
    ending = shell.run("init")
    assert ending.code == 0
    assert (
        ending.out == "wrote switchyard.toml\nwrote .switchyard/tasks/README.md\nwrote .switchyard/tasks/example.md\n"
    )
    assert "switchyard task add" in ending.err
    config = load_config(shell.folder / "switchyard.toml")
    assert (config.repository.base, config.repository.remote, config.sandbox.kind) == ("main", "origin", "embedded")
    assert config.agent_named().kind == "command"
    listed = shell.run("task", "list", "--json").document["tasks"]
    assert [(task["id"], task["state"]) for task in listed] == [("example", "draft")]
    assert len(listed[0]["acceptance"]) == 2


def test_the_comments_of_the_file_show_the_real_keys_and_defaults(shell: Shell) -> None:
    shell.commit({"a.txt": ""})
    shell.run("init")
    lines = (shell.folder / "switchyard.toml").read_text().splitlines()
    uncommented = "\n".join(
        line.removeprefix("# ") if " = " in line or line.startswith("# [") else line for line in lines
    )
    uncommented = uncommented.replace("[agent.NAME]", "")
    shell.write("switchyard.toml", uncommented)
    config = load_config(shell.folder / "switchyard.toml")
    assert config.sandbox.timeout_minutes == 30
    assert config.review.protected == (".github/**", "**/CODEOWNERS", "switchyard.toml")


def test_nothing_that_exists_is_overwritten(shell: Shell) -> None:
    shell.commit({"switchyard.toml": "# mine\n", ".switchyard/tasks/a.md": "---\nid: a\ntitle: A\n---\n"})
    ending = shell.run("init")
    assert (ending.code, ending.out) == (0, "wrote .switchyard/tasks/README.md\nkept switchyard.toml\n")
    assert (shell.folder / "switchyard.toml").read_text() == "# mine\n"
    again = shell.run("init", "--json").document
    assert (again["written"], again["kept"]) == ([], ["switchyard.toml", ".switchyard/tasks/README.md"])


def test_force_writes_the_configuration_anew_and_no_task(shell: Shell) -> None:
    shell.commit({"switchyard.toml": "# mine\n", ".switchyard/tasks/README.md": "# Ours\n"})
    assert shell.run("init", "--force").code == 0
    assert "[repository]" in (shell.folder / "switchyard.toml").read_text()
    assert (shell.folder / ".switchyard/tasks/README.md").read_text() == "# Ours\n"


def test_a_configured_folder_of_tasks_is_the_one_that_is_made(shell: Shell) -> None:
    shell.commit({"switchyard.toml": '[tasks]\npath = "work"\n'})
    assert "wrote work/example.md" in shell.run("init").out


def test_the_json_is_as_agreed(shell: Shell) -> None:
    document = proposal(shell, {"a.py": "", "tests/test_a.py": PYTEST, ".gitignore": ".venv/\n"})
    assert document == {
        "schema": "switchyard.init/1",
        "written": ["switchyard.toml", ".switchyard/tasks/README.md", ".switchyard/tasks/example.md"],
        "kept": [],
        "remote": None,
        "base": "main",
        "languages": {"python": 2},
        "setup": ["python3 -m venv .venv", ".venv/bin/pip install --quiet pytest"],
        "setup_network": ["pypi.org", "files.pythonhosted.org"],
        "checks": {"test": ".venv/bin/python -m pytest -q"},
        "warnings": [],
    }


@pytest.mark.parametrize(
    ("files", "setup", "checks"),
    [
        pytest.param(
            {"pyproject.toml": PYPROJECT, "shop/a.py": "", "tests/test_a.py": PYTEST, ".gitignore": ".venv\n"},
            ["python3 -m venv .venv", ".venv/bin/pip install --quiet -e . pytest"],
            {"test": ".venv/bin/python -m pytest -q"},
            id="a package with pytest",
        ),
        pytest.param(
            {"pyproject.toml": PYPROJECT, "shop/a.py": "", "tests/test_a.py": PYTEST},
            ["python3 -m venv $HOME/venv", "$HOME/venv/bin/pip install --quiet -e . pytest"],
            {"test": "$HOME/venv/bin/python -m pytest -q"},
            id="no ignored place for the environment",
        ),
        pytest.param(
            {
                "pyproject.toml": f"{PYPROJECT}[project.optional-dependencies]\ntest = ['pytest']\nfast = []\n"
                "[dependency-groups]\ndev = ['pytest']\n",
                "requirements-dev.txt": "x",
                "a.py": "",
                ".gitignore": "/.venv",
            },
            [
                "python3 -m venv .venv",
                ".venv/bin/pip install --quiet --upgrade pip",
                ".venv/bin/pip install --quiet -r requirements-dev.txt -e '.[test]' --group dev pytest",
            ],
            {"test": ".venv/bin/python -m pytest -q"},
            id="extras, groups and requirements",
        ),
        pytest.param(
            {
                "pyproject.toml": '[tool.uv.workspace]\nmembers = ["libs/*"]\n[project]\nname = "root"\n',
                "libs/money/pyproject.toml": PYPROJECT,
                "examples/demo/pyproject.toml": PYPROJECT,
                "conftest.py": "",
                ".gitignore": ".venv",
            },
            ["python3 -m venv .venv", ".venv/bin/pip install --quiet -e . -e ./libs/money pytest"],
            {"test": ".venv/bin/python -m pytest -q"},
            id="a workspace of packages",
        ),
        pytest.param(
            {
                "services/a b/setup.py": "",
                "libs/money/pyproject.toml": PYPROJECT,
                "conftest.py": "",
                ".gitignore": ".venv",
            },
            ["python3 -m venv .venv", ".venv/bin/pip install --quiet -e ./libs/money -e './services/a b' pytest"],
            {"test": ".venv/bin/python -m pytest -q"},
            id="packages without a root",
        ),
        pytest.param(
            {"shop/a.py": "", "tests/test_a.py": "import unittest\n"},
            [],
            {"test": "python3 -m unittest discover -s tests"},
            id="only the standard library",
        ),
        pytest.param(
            {"shop/a.py": "", "tests/__init__.py": "", "tests/test_a.py": "import unittest\n"},
            [],
            {"test": "python3 -m unittest discover"},
            id="tests that are a package",
        ),
        pytest.param(
            {
                "pyproject.toml": PYPROJECT,
                "runtests.py": "",
                "shop/tests/test_a.py": "import unittest\n",
                ".gitignore": ".venv\n",
            },
            ["python3 -m venv .venv", ".venv/bin/pip install --quiet -e ."],
            {"test": ".venv/bin/python runtests.py"},
            id="a runner of its own",
        ),
        pytest.param(
            {"requirements.txt": "django", "manage.py": "", "shop/tests.py": "", ".gitignore": ".venv\n"},
            ["python3 -m venv .venv", ".venv/bin/pip install --quiet -r requirements.txt"],
            {"test": ".venv/bin/python manage.py test"},
            id="a Django project",
        ),
        pytest.param(
            {"package.json": NPM_TEST, "package-lock.json": "{}"},
            ["npm ci"],
            {"test": "npm test"},
            id="npm",
        ),
        pytest.param(
            {
                "package.json": '{"workspaces": ["packages/*"]}',
                "package-lock.json": "{}",
                "packages/ui/package.json": '{"scripts": {"test": "node --test"}}',
            },
            ["npm ci"],
            {"test": "npm test --workspaces --if-present"},
            id="an npm workspace",
        ),
        pytest.param(
            {
                "package.json": json.dumps({"workspaces": ["packages/*"], "scripts": {"build": "tsc", "test": "x"}}),
                "package-lock.json": "{}",
                "packages/ui/package.json": json.dumps({"exports": {".": {"import": "./lib/index.js"}}}),
            },
            ["npm ci"],
            {"test": "npm run build && npm test"},
            id="a workspace whose members import what is built",
        ),
        pytest.param(
            {
                "package.json": json.dumps(
                    {"workspaces": ["packages/*"], "scripts": {"build": "tsc", "pretest": "tsc", "test": "x"}}
                ),
                "package-lock.json": "{}",
                "packages/ui/package.json": json.dumps({"main": "dist/index.js"}),
            },
            ["npm ci"],
            {"test": "npm test"},
            id="a workspace that builds before its tests by itself",
        ),
        pytest.param(
            {
                "package.json": json.dumps({"workspaces": ["packages/*"], "scripts": {"build": "tsc", "test": "x"}}),
                "package-lock.json": "{}",
                "packages/ui/package.json": json.dumps({"main": "./index.js"}),
                "packages/ui/index.js": "",
            },
            ["npm ci"],
            {"test": "npm test"},
            id="a workspace whose members import sources",
        ),
        pytest.param(
            {
                "package.json": json.dumps({**json.loads(NPM_TEST), "packageManager": "pnpm@9.1.0+sha512.abc"}),
                "pnpm-lock.yaml": "",
            },
            ["npx --yes pnpm@9.1.0 install --frozen-lockfile"],
            {"test": "npm test"},
            id="pnpm",
        ),
        pytest.param(
            {"package.json": NPM_TEST, "yarn.lock": ""},
            ["npx --yes yarn@1 install --frozen-lockfile"],
            {"test": "npm test"},
            id="yarn",
        ),
        pytest.param(
            {"package.json": NPM_TEST, "tools/a.py": "", "tools/test_a.py": "import unittest\n"},
            ["npm install --no-package-lock"],
            {"python": "python3 -m unittest discover -s tools", "node": "npm test"},
            id="two kinds of project",
        ),
        pytest.param({"go.mod": "", "a.go": ""}, ["go mod download"], {"test": "go test ./..."}, id="go"),
        pytest.param({"Makefile": "all:\ntest: all\n"}, [], {"test": "make test"}, id="a makefile"),
        pytest.param({"Makefile": "test := x\n"}, [], {}, id="a makefile without the target"),
        pytest.param({"package.json": "{broken"}, [], {}, id="a broken package.json"),
    ],
)
def test_set_up_and_checks_fit_the_repository(
    shell: Shell, files: dict[str, str], setup: list[str], checks: dict[str, str]
) -> None:
    document = proposal(shell, files)
    assert document["setup"] == setup
    assert document["checks"] == checks


def test_a_repository_without_tests_is_told_so(shell: Shell) -> None:
    shell.commit({"a.txt": ""})
    assert "no test command was found" in shell.run("init").err


def test_the_remote_and_its_default_branch_are_found(shell: Shell, tmp_path: Path) -> None:
    shell.commit({"a.txt": ""})
    shell.git("branch", "--move", "develop")
    shell.git("clone", "--quiet", "--bare", ".", str(tmp_path / "origin.git"))
    shell.git("clone", "--quiet", str(tmp_path / "origin.git"), str(tmp_path / "clone"))
    document = shell.run("init", "--json", "--repo", tmp_path / "clone").document
    assert (document["remote"], document["base"]) == ("origin", "develop")


def test_the_usual_base_is_taken_when_another_branch_is_checked_out(shell: Shell) -> None:
    shell.commit({"a.txt": ""})
    shell.git("checkout", "--quiet", "-b", "feature")
    assert shell.run("init", "--json").document["base"] == "main"


def test_a_detached_head_is_no_obstacle(shell: Shell) -> None:
    shell.commit({"a.txt": ""})
    shell.git("checkout", "--quiet", "--detach")
    assert shell.run("init", "--json").document["base"] == "main"


def test_the_name_on_github_is_suggested(shell: Shell) -> None:
    shell.commit({"a.txt": ""})
    shell.git("remote", "add", "upstream", "git@github.com:acme/shop.git")
    shell.run("init")
    text = (shell.folder / "switchyard.toml").read_text()
    assert '# repository = "acme/shop"' in text
    assert tomllib.loads(text)["repository"]["remote"] == "upstream"


def test_it_works_from_a_folder_inside_the_repository(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.commit({"sub/a.txt": ""})
    monkeypatch.chdir(shell.folder / "sub")
    assert shell.run("init").code == 0
    assert (shell.folder / "switchyard.toml").exists()


def test_a_repository_without_commits_is_refused_and_nothing_is_written(shell: Shell) -> None:
    ending = shell.run("init")
    assert (ending.code, ending.out) == (2, "")
    assert "has no commits" in ending.err
    assert [path.name for path in shell.folder.iterdir()] == [".git"]


def test_a_bare_repository_and_a_plain_folder_are_refused(nowhere: Shell, tmp_path: Path) -> None:
    plain = nowhere.run("init", "--json")
    assert (plain.code, plain.document["error"]["kind"]) == (2, "not_a_repository")
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "bare.git"], check=True)
    bare = nowhere.run("init", "--repo", tmp_path / "bare.git")
    assert bare.code == 2
    assert "is bare" in bare.err


@pytest.mark.parametrize("in_the_way", [".switchyard", ".switchyard/tasks", "switchyard.toml/x"])
def test_something_in_the_way_is_a_clear_error_and_nothing_is_half_done(shell: Shell, in_the_way: str) -> None:
    shell.commit({in_the_way: "in the way"})
    ending = shell.run("init", "--force")
    assert (ending.code, ending.out) == (2, "")
    assert in_the_way.split("/")[0] in ending.err
    assert shell.git("status", "--porcelain") == ""
