"""What a repository, a branch or a name cannot do to the one who merges it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from switchyard_git import Conflicted, Merged, Repository
from yard import LONG, Yard

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
    assert isinstance(outcomes[0], Conflicted)
    assert outcomes[0].paths == ("a",)
    # What would have been left to the program is a conflict, and never taken for merged.
    assert isinstance(outcomes[1], Merged) == (configure in (_in_its_tree, _as_a_filter))
