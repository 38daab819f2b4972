"""Programs of the host inside a box, and what a command's watched files tell, whatever the driver."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pygments
import pytest
from sandbox.boxes import Ground
from switchyard_sandbox import BoxId, HostTool, Program, SetUp

pytestmark = pytest.mark.sandbox
PACKAGE = Path(pygments.__file__).parent
PROGRAM = Program("gloss", "pygments", (PACKAGE,))
"""A program with one package, which is here because the tests need it anyway."""


def embedded_only(ground: Ground) -> None:
    if ground.driver.kind == "none":
        pytest.skip("this driver shows the host as it is")


@pytest.fixture
def commit(ground: Ground) -> str:
    return ground.commit({"a.py": "import b\n", "b.py": "x = 1\n", "sub/c.py": "y = 2\n", "d.py": "z = 3\n"})


def box_with(ground: Ground, commit: str, program: Program = PROGRAM, **fields: object) -> BoxId:
    return ground.box(replace(ground.spec(commit), programs=(program,), **fields))  # type: ignore[arg-type]


def has_programs(ground: Ground) -> bool:
    """Whether the driver can bring programs of the host into a box; one that can't says so."""
    return not any(line.name == "programs" and not line.enforced for line in ground.driver.probe())


class TestPrograms:
    @pytest.fixture(autouse=True)
    def programs(self, ground: Ground) -> None:
        if not has_programs(ground):
            pytest.skip("this driver's probe says that it brings no programs in")

    def test_a_program_is_found_on_the_path_and_gets_its_arguments(self, ground: Ground, commit: str) -> None:
        box = box_with(ground, commit)
        assert ground.did(box, "gloss -f html a.py").startswith('<div class="highlight">')
        assert ground.run(box, "gloss --no-such-option").exit_code == 2

    def test_a_path_of_the_configuration_does_not_hide_it(self, ground: Ground, commit: str) -> None:
        box = box_with(ground, commit, env={"PATH": "/usr/bin:/bin"})
        assert "gloss" in ground.did(box, "command -v gloss")

    def test_without_programs_there_is_none(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        assert ground.run(box, "gloss -V").exit_code == 127

    def test_a_tool_of_the_host_is_found_with_its_folder_and_not_with_what_lies_beside_it(
        self, ground: Ground, commit: str, tmp_path: Path
    ) -> None:
        folder = tmp_path / "tool"
        (folder / "bin").mkdir(parents=True)
        (folder / "data").write_text("known\n")
        (tmp_path / "secret").write_text("nobody's business\n")
        script = folder / "bin" / "run.sh"
        script.write_text('#!/bin/sh\ncat "$(dirname "$(readlink -f "$0")")/../data"; echo "$@"\n')
        script.chmod(0o755)
        tools = (PROGRAM, HostTool("tell", folder, "bin/run.sh"), HostTool("alone", script))
        box = ground.box(replace(ground.spec(commit), programs=tools))
        assert ground.did(box, "tell a b") == "known\na b\n"
        assert ground.run(box, "alone c").stdout == b"c\n" or ground.driver.kind == "none"
        assert ground.did(box, "gloss -V")
        embedded_only(ground)
        assert ground.did(box, 'ls "$(dirname "$(readlink -f "$(command -v tell)")")/../.."') == "alone\ntell\n"
        assert not ground.run(box, "touch /opt/switchyard/tools/tell/new").ok

    def test_nothing_of_the_tree_and_no_variable_gets_in_front_of_its_modules(self, ground: Ground) -> None:
        hostile = {"pygments.py": "print('taken')\n", "argparse.py": "print('taken')\n"}
        box = box_with(ground, ground.commit({**hostile, "a.py": "import b\n"}))
        assert "taken" not in ground.did(box, "PYTHONPATH=$PWD PYTHONSTARTUP=$PWD/pygments.py gloss a.py")

    def test_its_data_is_found_by_a_variable(self, ground: Ground, commit: str, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "fact").write_text("known\n")
        told = replace(PROGRAM, data=tmp_path / "data")
        box = box_with(ground, commit, told)
        launcher = 'sed -n "s/^\\(GLOSS_DATA=[^ ]*\\) .*/\\1/p" "$(command -v gloss)"'
        assert ground.did(box, f'eval "$({launcher})"; cat "$GLOSS_DATA/fact"') == "known\n"

    def test_data_that_is_not_there_is_not_named(self, ground: Ground, commit: str, tmp_path: Path) -> None:
        box = box_with(ground, commit, replace(PROGRAM, data=tmp_path / "nowhere"))
        assert ground.did(box, 'grep -c _DATA "$(command -v gloss)" || true') == "0\n"
        assert ground.run(box, "gloss -V").ok

    def test_a_package_that_vanishes_from_the_host_keeps_no_box_from_working(
        self, ground: Ground, commit: str, tmp_path: Path
    ) -> None:
        (tmp_path / "extra").mkdir()
        (tmp_path / "more.py").write_text("")
        box = box_with(ground, commit, replace(PROGRAM, packages=(PACKAGE, tmp_path / "extra", tmp_path / "more.py")))
        (tmp_path / "extra").rmdir()
        (tmp_path / "more.py").unlink()
        assert ground.run(box, "gloss -V").ok

    def test_only_the_packages_that_were_named_are_there(self, ground: Ground, commit: str) -> None:
        embedded_only(ground)
        box = box_with(ground, commit)
        assert ground.did(box, "ls /opt/switchyard/lib/python3.*/site-packages") == "pygments\n"
        assert ground.did(box, "ls /opt/switchyard/python/lib/python3.*/site-packages 2>/dev/null || true") == ""

    def test_a_box_can_change_neither_program_nor_packages(self, ground: Ground, commit: str) -> None:
        embedded_only(ground)
        box = box_with(ground, commit)
        places = "/opt/switchyard/bin/gloss /opt/switchyard/lib/python3.*/site-packages/pygments/__init__.py"
        for place in (*places.split(), "/opt/switchyard/bin/new", "/opt/switchyard/pyvenv.cfg"):
            assert not ground.run(box, f"echo x >> {place}").ok, place
        assert ground.run(box, "gloss -V").ok

    def test_set_up_runs_without_them(self, ground: Ground, commit: str) -> None:
        setup = SetUp(commands=("command -v gloss > found.txt || echo none > found.txt",))
        box = box_with(ground, commit, setup=setup)
        assert ground.did(box, "cat found.txt") == "none\n"
        assert ground.run(box, "gloss -V").ok


class TestWatchedFiles:
    def test_the_files_that_were_opened_are_told(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        finished = ground.run(box, "cat a.py; echo more >> sub/c.py; ls; stat b.py", watch=("a.py", "b.py", "sub/c.py"))
        assert (finished.opened, finished.unseen) == (("a.py", "sub/c.py"), "")

    def test_what_was_not_to_be_watched_is_not_told(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        assert ground.run(box, "cat a.py b.py").opened == ()
        assert ground.run(box, "cat a.py b.py", watch=("b.py",)).opened == ("b.py",)

    def test_each_command_is_told_of_by_itself(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        assert ground.run(box, "cat a.py", watch=("a.py", "b.py")).opened == ("a.py",)
        assert ground.run(box, "cat b.py", watch=("a.py", "b.py")).opened == ("b.py",)

    def test_a_file_is_seen_where_the_same_box_changed_it_before(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        ground.did(box, "echo x >> a.py; rm b.py; echo new > b.py")
        assert ground.run(box, "cat a.py b.py", watch=("a.py", "b.py")).opened == ("a.py", "b.py")

    def test_a_file_is_seen_in_a_box_on_a_later_commit(self, ground: Ground, commit: str) -> None:
        later = ground.commit({"a.py": "import c\n"})
        box = ground.box(ground.spec(later, anchor=commit))
        assert ground.run(box, "cat a.py b.py", watch=("a.py", "b.py", "d.py")).opened == ("a.py", "b.py")

    def test_a_file_that_is_gone_was_not_opened(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        finished = ground.run(box, "cat a.py", watch=("gone.py", "a.py", "sub"))
        assert (finished.opened, finished.unseen) == (("a.py",), "")

    def test_a_link_is_never_followed(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        ground.did(box, "ln -sf b.py a.py; rm -r sub; mkdir other; echo x > other/c.py; ln -s other sub")
        assert ground.run(box, "cat b.py other/c.py", watch=("a.py", "sub/c.py")).opened == ()

    def test_opening_a_file_very_often_hides_nothing(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        script = "i=0; while [ $i -lt 20000 ]; do read -r x < a.py; i=$((i+1)); done; cat b.py"
        assert ground.run(box, script, watch=("a.py", "b.py")).opened == ("a.py", "b.py")

    def test_a_command_that_a_limit_ended_is_told_of_too(self, ground: Ground, commit: str) -> None:
        box = ground.box(ground.spec(commit))
        finished = ground.run(box, "cat a.py; sleep 60", watch=("a.py", "b.py"), timeout_s=1.0)
        assert (finished.limit, finished.opened) == ("timeout", ("a.py",))


def test_a_machine_that_can_watch_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x\n")
    script = (
        "import resource, sys\n"
        "from switchyard_sandbox.embedded.watching import Watch\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))\n"
        "watch = Watch(sys.argv[1], ['a.py'])\n"
        "print(watch.close(), watch.unseen)\n"
    )
    argv = (sys.executable, "-c", script, str(tmp_path))
    said = subprocess.run(argv, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout
    assert said == "[] this machine can't watch files: [Errno 24] inotify_init1: Too many open files\n"
