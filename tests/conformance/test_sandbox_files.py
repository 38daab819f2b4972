"""What every sandbox driver promises of files: those that go in, those that set-up leaves, those that come out."""

from __future__ import annotations

import pytest
from sandbox.boxes import Ground
from switchyard_sandbox import BadCode, BoxId, Command, SandboxError, SetUp, SetUpFailed

pytestmark = pytest.mark.sandbox


class TestFiles:
    def test_what_is_put_stands_beside_the_work_tree(self, ground: Ground, box: BoxId) -> None:
        path = ground.driver.put(box, "notes/prompt.md", "Grüße\n".encode())
        assert ground.driver.execute(box, Command(("cat", path))).stdout == "Grüße\n".encode()
        program = ground.driver.put(box, "run.sh", b"#!/bin/sh\necho ran\n", mode=0o755)
        assert ground.driver.execute(box, Command((program,))).stdout == b"ran\n"
        assert ground.extract(box).changed == ()

    @pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", "a//b", "x\0y"])
    def test_a_name_that_leads_elsewhere_is_refused(self, ground: Ground, box: BoxId, name: str) -> None:
        with pytest.raises(SandboxError):
            ground.driver.put(box, name, b"")

    def test_the_box_is_a_clean_checkout_of_the_commit(self, ground: Ground, box: BoxId, commit: str) -> None:
        assert ground.did(box, "git rev-parse HEAD").strip() == commit
        assert ground.did(box, "git status --porcelain") == ""
        assert ground.did(box, "git remote -v") == ""

    def test_a_later_commit_is_laid_over_the_anchors_checkout(self, ground: Ground, commit: str) -> None:
        later = ground.commit({"README.md": "later\n", "new/file.txt": "new\n", "src/app.py": None})
        box = ground.box(ground.spec(later, anchor=commit))
        assert ground.did(box, "git rev-parse HEAD; git status --porcelain; cat README.md new/file.txt; ls src") == (
            f"{later}\nlater\nnew\ndeep\n"
        )
        assert ground.extract(box).changed == ()

    def test_an_unrelated_commit_can_lie_over_the_anchor(self, ground: Ground, commit: str) -> None:
        ground.git("checkout", "--quiet", "--orphan", "other")
        ground.git("rm", "--quiet", "-rf", ".")
        other = ground.commit({"only.txt": "x\n"})
        box = ground.box(ground.spec(other, anchor=commit))
        assert ground.did(box, "ls; git status --porcelain") == "only.txt\n"

    def test_commits_can_be_made_inside(self, ground: Ground, box: BoxId) -> None:
        ground.did(box, "echo x > y && git add -A && git commit -qm inside && git log --oneline | wc -l")
        assert ground.extract(box).changed == ("y",)

    def test_a_directory_can_be_renamed(self, ground: Ground, box: BoxId) -> None:
        ground.did(box, "git mv src lib && python3 -c \"import os; os.rename('lib/deep', 'lib/deeper')\"")
        tree = ground.extract(box).tree
        assert sorted(ground.listing(tree)) == ["README.md", "lib/app.py", "lib/deeper/x.txt"]

    def test_line_endings_of_the_checkout_follow_the_attributes(self, ground: Ground) -> None:
        commit = ground.commit({".gitattributes": "*.bat text eol=crlf\n", "run.bat": "one\ntwo\n"})
        assert ground.did(ground.box(ground.spec(commit)), "cat run.bat") == "one\r\ntwo\r\n"

    def test_a_submodule_is_an_empty_folder_and_stays_as_it_was(self, ground: Ground, commit: str) -> None:
        ground.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendor/sub")
        ground.git("commit", "--quiet", "--message", "submodule")
        box = ground.box(ground.spec(ground.git("rev-parse", "HEAD").strip()))
        ground.did(box, "ls vendor/sub; echo x > README.md")
        extraction = ground.extract(box)
        assert extraction.changed == ("README.md",)
        assert ground.listing(extraction.tree)["vendor/sub"] == ("160000", commit.encode())

    @pytest.mark.parametrize("missing", ["commit", "anchor"])
    def test_a_commit_that_is_not_there_is_named(self, ground: Ground, commit: str, missing: str) -> None:
        nowhere = "0123456789" * 4
        spec = ground.spec(nowhere, anchor=commit) if missing == "commit" else ground.spec(commit, anchor=nowhere)
        with pytest.raises(BadCode, match=nowhere):
            ground.driver.create(spec)
        assert list(ground.driver.list()) == []


class TestSetUp:
    def test_what_it_installs_is_there_without_network_and_not_in_the_result(self, ground: Ground) -> None:
        commit = ground.commit({"requirements.txt": "x\n", "src/a.py": "a\n"})
        script = "mkdir -p .tools src/made && echo tool > .tools/tool && echo m > src/made/m && echo home > ~/home.txt"
        spec = ground.spec(commit, setup=SetUp(commands=(script, "cat .tools/tool >> .tools/log")))
        box = ground.box(spec)
        assert ground.did(box, "cat .tools/tool .tools/log src/made/m ~/home.txt") == "tool\ntool\nm\nhome\n"
        assert ground.extract(box).changed == ()
        ground.did(box, "echo b >> src/a.py; echo n > src/made/n")
        assert ground.extract(box).changed == ("src/a.py", "src/made/n")

    def test_it_runs_once_for_all_boxes_of_an_anchor(self, ground: Ground) -> None:
        commit = ground.commit({"a": "a\n"})
        later = ground.commit({"a": "b\n"})
        setup = SetUp(commands=("date +%s%N > stamp",))
        first, second = (ground.box(ground.spec(one, anchor=commit, setup=setup)) for one in (commit, later))
        assert ground.did(first, "cat stamp") == ground.did(second, "cat stamp")
        assert ground.did(second, "cat a") == "b\n"

    def test_what_it_did_to_tracked_files_is_not_kept(self, ground: Ground) -> None:
        commit = ground.commit({"lock.json": "{}\n", "dir/one": "1\n", "dir/two": "2\n"})
        script = (
            "echo changed > lock.json; rm -r dir; mkdir dir; echo x > dir/product; mv lock.json moved; ln -s / dir/up"
        )
        box = ground.box(ground.spec(commit, setup=SetUp(commands=(script,))))
        assert ground.did(box, "git status --porcelain -uno; cat lock.json dir/one dir/two dir/product moved") == (
            "{}\n1\n2\nx\nchanged\n"
        )
        assert ground.extract(box).changed == ()

    def test_a_failure_tells_the_command_and_its_output_and_keeps_nothing(self, ground: Ground) -> None:
        commit = ground.commit({"a": "a\n"})
        with pytest.raises(SetUpFailed) as caught:
            ground.driver.create(ground.spec(commit, setup=SetUp(commands=("true", "echo broken; exit 3"))))
        assert caught.value.command == "echo broken; exit 3"
        assert "broken" in caught.value.output
        assert list(ground.driver.list()) == []
        assert [place for place in (ground.state / "layers").iterdir() if place.is_dir()] == []
