"""What a change brings along to make its own checks pass is not there when the base's own tests are run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from switchyard_git import EXECUTABLE_MODE, SYMLINK_MODE, CommitSha, Signature

from switchyard.packets import PlannedTask, Restored
from switchyard.workflow.restoring import restore_tests
from workflow.conftest import Yard

CHECKS = {"unit": "sh scripts/test.sh && make test", "node": "npm test", "shimmed": "PATH=$PWD/bin:$PATH pytest -q"}
PYPROJECT = '[project]\nname = "x"\n\n[tool.pytest.ini_options]\naddopts = "-q"\n'
PACKAGE = json.dumps({"name": "x", "scripts": {"test": "jest"}, "jest": {"testTimeout": 5}})
CARGO = '[package]\nname = "x"\n\n[[test]]\nname = "all"\n'
BASE = {
    "src/a.py": "A = 1\n",
    "tests/test_a.py": "assert A == 1\n",
    "tests/conftest.py": "real = True\n",
    "web/a.test.ts": "expect(1)\n",
    "web/jest.config.js": "module.exports = {}\n",
    "scripts/test.sh": "sh scripts/inner.sh\n",
    "scripts/inner.sh": "pytest -q\n",
    "scripts/unrelated.sh": "echo\n",
    "Makefile": "test:\n\tpytest\n",
    "pyproject.toml": PYPROJECT,
    "package.json": PACKAGE,
    "Cargo.toml": CARGO,
    "go.mod": "module x\n\nrequire example.com/testing/assert v1.0.0\n",
}


class Attempt:
    """A commit on a base, and what it is under the base's tests."""

    def __init__(self, yard: Yard, allow: tuple[str, ...] = ()) -> None:
        self.yard = yard
        self.base = yard.commit(yard.base, BASE)
        self.task: PlannedTask = yard.task("t", checks=CHECKS, allow=allow)

    def restored(self, edits: dict[str, str | None]) -> tuple[Restored, dict[str, str]]:
        commit = self.yard.commit(self.base, edits)
        return self.restored_commit(commit)

    def restored_commit(self, commit: CommitSha) -> tuple[Restored, dict[str, str]]:
        found = restore_tests(self.yard.factory, self.task, self.base, commit, 1_700_000_000)
        return found, self.yard.files(found.commit) if found.commit else {}


def test_a_change_of_the_code_alone_leaves_nothing_to_put_back(yard: Yard) -> None:
    found, _ = Attempt(yard).restored({"src/a.py": "A = 2\n", "src/b.py": "B = 1\n", "scripts/unrelated.sh": "ls\n"})
    assert found == Restored()


TESTED_WITH = (
    "tests/test_a.py",
    "tests/conftest.py",
    "web/a.test.ts",
    "web/jest.config.js",
    "scripts/test.sh",
    "scripts/inner.sh",
    "Makefile",
)
BROUGHT_ALONG = (
    "conftest.py",
    "tests/deep/conftest.py",
    "sitecustomize.py",
    "src/usercustomize.py",
    "quiet.pth",
    "pytest.py",
    "pytest/__init__.py",
    "_pytest/runner.py",
    "unittest.py",
    "pytest.ini",
    "tox.ini",
    ".coveragerc",
    "jest.config.js",
    "web/vitest.config.ts",
    "__mocks__/fs.js",
    ".npmrc",
    "GNUmakefile",
    ".cargo/config.toml",
    ".mvn/jvm.config",
    "tests/test_new.py",
    "src/new_test.go",
)


@pytest.mark.parametrize("now", ["pass\n", None])
def test_what_the_base_tests_with_is_put_back_edited_or_deleted(yard: Yard, now: str | None) -> None:
    found, files = Attempt(yard).restored({"src/a.py": "A = 2\n", **dict.fromkeys(TESTED_WITH, now)})
    assert files == {**yard.files(yard.base), **BASE, "src/a.py": "A = 2\n"}
    assert (found.put_back, found.left_out) == (tuple(sorted(TESTED_WITH)), ())


def test_what_the_base_lacks_is_left_out(yard: Yard) -> None:
    found, files = Attempt(yard).restored({"src/b.py": "B = 1\n", **dict.fromkeys(BROUGHT_ALONG, "anything\n")})
    assert files == {**yard.files(yard.base), **BASE, "src/b.py": "B = 1\n"}
    assert (found.put_back, found.left_out) == ((), tuple(sorted(BROUGHT_ALONG)))


def test_a_new_program_that_stands_in_for_one_of_a_check_is_left_out(yard: Yard) -> None:
    attempt = Attempt(yard)
    quarantine = yard.factory.quarantine
    blob = quarantine.write_blob(b"#!/bin/sh\nexit 0\n")
    link = quarantine.write_blob(b"/bin/true")
    updates = {
        "bin/pytest": (EXECUTABLE_MODE, blob),
        "bin/npm": (SYMLINK_MODE, link),
        "bin/other": (EXECUTABLE_MODE, blob),
    }
    found, files = attempt.restored_commit(_commit(yard, attempt.base, updates))
    assert found.left_out == ("bin/npm", "bin/pytest") and "bin/other" in files


def test_a_folder_of_tests_that_became_a_link_is_a_folder_again(yard: Yard) -> None:
    attempt = Attempt(yard)
    link = yard.factory.quarantine.write_blob(b"src")
    changes = {"tests/test_a.py": None, "tests/conftest.py": None, "tests": (SYMLINK_MODE, link)}
    found, files = attempt.restored_commit(_commit(yard, attempt.base, changes))
    assert files["tests/test_a.py"] == BASE["tests/test_a.py"] and "tests" not in files
    assert found.put_back == ("tests/conftest.py", "tests/test_a.py")


def test_of_mixed_files_only_what_they_say_of_tests_is_put_back(yard: Yard) -> None:
    named, quiet = PYPROJECT.replace('"x"', '"y"'), CARGO.replace('"x"', '"y"')
    edits = {"pyproject.toml": named.replace("-q", "--co"), "Cargo.toml": quiet, "lib/pyproject.toml": PYPROJECT}
    found, files = Attempt(yard).restored(edits)
    assert found.put_back == ("pyproject.toml",) and found.left_out == ("lib/pyproject.toml",)
    assert "--co" not in files["pyproject.toml"] and 'name = "y"' in files["pyproject.toml"]
    assert (files["Cargo.toml"], "pytest" in files["lib/pyproject.toml"]) == (quiet, False)


def test_with_tests_allowed_only_their_configuration_is_put_back(yard: Yard) -> None:
    edits = {"tests/test_a.py": "assert A == 2\n", "tests/data.json": "{}\n", "tests/test_new.py": "pass\n"}
    attempt = Attempt(yard, allow=("tests",))
    found, files = attempt.restored({**edits, "tests/conftest.py": "fake = True\n"})
    assert (found.put_back, found.left_out) == (("tests/conftest.py",), ("tests/test_new.py",))
    assert (files["tests/test_a.py"], files["tests/data.json"]) == ("assert A == 2\n", "{}\n")


def test_a_module_of_tests_that_rust_sources_name_stays(yard: Yard) -> None:
    edits = {"src/lib.rs": "#[cfg(test)]\nmod tests;\n", "src/tests.rs": "\n", "tests/it.rs": "\n"}
    found, files = Attempt(yard).restored(edits)
    assert found.left_out == ("tests/it.rs",) and "src/tests.rs" in files


def test_the_same_change_gives_the_same_commit(yard: Yard) -> None:
    attempt = Attempt(yard)
    commit = yard.commit(attempt.base, {"tests/test_a.py": "pass\n"})
    assert attempt.restored_commit(commit) == attempt.restored_commit(commit)


def _commit(yard: Yard, parent: CommitSha, updates: Any) -> CommitSha:
    quarantine = yard.factory.quarantine
    updates = {path: update and (update[0], update[1]) for path, update in updates.items()}
    tree = quarantine.write_tree_from(quarantine.tree_of(parent), updates)
    who = Signature("Ada", "ada@example.org", 1_700_000_000)
    return quarantine.commit_tree(tree, [parent], "edit\n", author=who, committer=who)
