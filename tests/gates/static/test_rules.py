"""Paths and text that the repository wants seen, files that others obey, and licences."""

from __future__ import annotations

import pytest

from gates.static.changes import a_file, added, asked, inspect, says
from switchyard.gates.change import ChangedFile
from switchyard.gates.static import Rules


@pytest.mark.parametrize(
    "text",
    [
        "q = 'drop table x'\n",
        "DROP\t  TABLE x;\r\n",
        "DROP\n  TABLE x;\n",
        "q = 'DROP ' + 'TABLE x'\n",
        "q = ('DROP '\n 'TABLE x')\n",
    ],
)
def test_text_that_is_to_be_seen_is_found_in_any_case_and_spacing(text: str) -> None:
    (finding,) = inspect(added("a.py", "import os\n" + text))["content"].findings
    assert (finding.asks, finding.title, finding.line) == ("person", "`DROP TABLE` was added", 2)


def test_text_that_moved_or_was_there_is_not_added_and_a_copy_is() -> None:
    line = "db.run('DROP TABLE x')\n"
    assert not asked(inspect(a_file("a.py", line + "x = 1\n", "x = 1\n  " + line))["content"])
    assert asked(inspect(a_file("a.py", line, line + "x = 1\n" + line))["content"])


def test_a_path_that_is_to_be_seen_is_found_in_any_case_and_when_it_goes() -> None:
    assert says(inspect(added("src/Auth/login.py", "x\n"))["content"]) == "`**/auth/**` is seen by a person"
    assert asked(inspect(a_file("src/auth/login.py", "x\n", None))["content"])


def test_without_patterns_the_gate_does_not_apply() -> None:
    assert inspect(added("a", "DROP TABLE"), rules=Rules())["content"].outcome == "not_applicable"


OBEYED = [
    ".github/workflows/ci.yml",
    ".GitHub/Workflows/ci.yml",
    "sub/.github/workflows/x.yml",
    ".gitlab-ci.yml",
    "Jenkinsfile",
    ".circleci/config.yml",
    "azure-pipelines.yml",
    ".buildkite/pipeline.yml",
    "AGENTS.md",
    "docs/agents.md",
    "CLAUDE.md",
    ".claude/settings.json",
    "x/.mcp.json",
    ".cursorrules",
    ".husky/pre-commit",
    ".pre-commit-config.yaml",
    ".gitattributes",
    ".gitmodules",
    ".vscode/tasks.json",
    ".devcontainer/devcontainer.json",
    ".envrc",
    ".tool-versions",
    ".agent/rules/x.md",
    ".claude-plugin/plugin.json",
    ".npmrc",
    ".cargo/config.toml",
    "src/sitecustomize.py",
    "a.pth",
    "CODEOWNERS",
    "switchyard.toml",
    ".switchyard/tasks/x.md",
    ".\uff47ithub/workflows/x.yml",
]


@pytest.mark.parametrize("path", OBEYED)
def test_files_that_others_obey_are_for_a_person_unless_the_task_allows_it(path: str) -> None:
    for file in (added(path, "x\n"), a_file(path, "x\n", None)):
        assert asked(inspect(file)["workflows"])
        allowed = inspect(file, allow=["protected"])["workflows"]
        assert not asked(allowed) and allowed.findings


@pytest.mark.parametrize("path", [".claude", "sub/.vscode", ".husky", ".github"])
def test_a_link_in_the_place_of_an_obeyed_folder_needs_a_person(path: str) -> None:
    assert asked(inspect(added(path, "elsewhere", "120000"))["workflows"])


@pytest.mark.parametrize("path", ["src/github.py", "docs/workflows.md", "web/owners/list.jsp", "src/vscode/a.ts"])
def test_ordinary_files_are_obeyed_by_nobody(path: str) -> None:
    assert inspect(added(path, "x\n"))["workflows"].outcome == "not_applicable"


GPL = "# This program is free software under the GNU General Public License\n# Copyright (C) 2001 Somebody Else\n"


@pytest.mark.parametrize(
    "file",
    [
        a_file("LICENSE", "MIT\n", None),
        a_file("LICENSE", "MIT\n", "GPL\n"),
        a_file("sub/licence.txt", "MIT\n", None),
        a_file("NOTICE", "a\n", "b\n"),
        added("vendor/COPYING", "GPL\n"),
        a_file("a.py", "# SPDX-License-Identifier: MIT\n", "# SPDX-License-Identifier: GPL-3.0-only\n"),
        a_file("a.py", "# SPDX-License-Identifier: MIT\nx = 1\n", "x = 1\n"),
        a_file("a.py", "# Copyright 2020 Us\nx = 1\n", "x = 1\n"),
        added("b.py", GPL + "x = 1\n"),
        added("c.js", "/*! SPDX-License-Identifier: AGPL-3.0 */\n"),
        a_file("package.json", '{"license": "MIT"}', '{"license": "UNLICENSED"}'),
        a_file("pyproject.toml", '[project]\nlicense = "MIT"\n', "[project]\n"),
        a_file("Cargo.toml", '[package]\nlicense = "MIT"\n', '[package]\nlicense = "GPL-3.0"\n'),
    ],
)
def test_a_licence_that_changes_or_comes_from_elsewhere_is_for_a_person(file: ChangedFile) -> None:
    assert asked(inspect(file)["licences"])


@pytest.mark.parametrize(
    "file",
    [
        a_file("LICENSE", "Copyright 2024 Us\n", "Copyright 2025 Us\n"),
        a_file("LICENSE", "Copyright 2024 Us\n", "Copyright 2024-2026 Us\n"),
        a_file("a.py", "# Copyright 2024 Us\nx = 1\n", "# Copyright 2024-2026 Us\nx = 2\n"),
        a_file("a.py", "# SPDX-License-Identifier: MIT\nx = 1\n", None),
        added("src/license.py", "def license(): ...\n"),
        added("d.py", "x = 1\n"),
        a_file("package.json", '{"license": "MIT"}', '{"license": "MIT", "name": "x"}'),
    ],
)
def test_years_and_code_about_licences_pass(file: ChangedFile) -> None:
    assert not asked(inspect(file)["licences"])
