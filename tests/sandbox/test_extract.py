"""Code out: what comes out right, what is refused, and that nothing of a box's tree is followed or run."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from switchyard_sandbox import BoxId, Extraction
from switchyard_sandbox.names import escapes, is_git_like

from sandbox.boxes import DRIVERS, Ground, make_ground

pytestmark = pytest.mark.sandbox


@pytest.fixture(params=sorted(DRIVERS))
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    made = make_ground(tmp_path, request.param)
    yield made
    made.close()


def open_box(ground: Ground, files: dict[str, bytes | str | None]) -> BoxId:
    return ground.box(ground.spec(ground.commit(files)))


def findings(extraction: Extraction) -> dict[str, str]:
    assert all(finding.refused for finding in extraction.findings)
    return {finding.path: finding.kind for finding in extraction.findings}


FILES: dict[str, bytes | str | None] = {
    "keep.txt": "keep\n",
    "edit.txt": "before\n",
    "gone.txt": "gone\n",
    "dir/a.txt": "a\n",
    "dir/sub/b.txt": "b\n",
    "script.sh": "#!/bin/sh\n",
    "binary.bin": bytes(range(256)),
}


class TestComesOutRight:
    def test_an_untouched_tree_is_the_commits_tree(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, "cat keep.txt; git status")
        extraction = ground.extract(box)
        assert extraction == Extraction(ground.git("rev-parse", "HEAD^{tree}").strip(), (), ())

    def test_edits_additions_and_deletions(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, "echo after > edit.txt; rm gone.txt; mkdir -p new/er; echo n > new/er/n.txt; : > empty")
        extraction = ground.extract(box)
        assert extraction.changed == ("edit.txt", "empty", "gone.txt", "new/er/n.txt")
        listing = ground.listing(extraction.tree)
        assert listing["edit.txt"] == ("100644", b"after\n")
        assert listing["empty"] == ("100644", b"")
        assert "gone.txt" not in listing

    def test_touching_or_copying_without_a_change_is_no_change(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, "touch keep.txt; cp edit.txt x; mv x edit.txt; chmod 600 keep.txt; mv dir d; mv d dir")
        assert ground.extract(box).changed == ()

    def test_an_edit_that_keeps_size_and_times_is_seen(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, "touch -r edit.txt stamp; printf 'BEFORE\\n' > edit.txt; touch -r stamp edit.txt; rm stamp")
        assert ground.extract(box).changed == ("edit.txt",)

    def test_mode_changes(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, "chmod +x script.sh")
        extraction = ground.extract(box)
        assert extraction.changed == ("script.sh",)
        assert ground.listing(extraction.tree)["script.sh"][0] == "100755"

    def test_renamed_swapped_and_replaced_directories(self, ground: Ground) -> None:
        box = open_box(ground, {**FILES, "other/a.txt": "other a\n", "flat": "flat\n"})
        ground.did(
            box,
            "python3 -c \"import os; os.rename('dir', 't'); os.rename('other', 'dir'); os.rename('t', 'other')\";"
            "rm flat; mkdir flat; echo in > flat/in",
        )
        extraction = ground.extract(box)
        listing = ground.listing(extraction.tree)
        assert listing["dir/a.txt"][1] == b"other a\n"
        assert listing["other/a.txt"][1] == b"a\n"
        assert listing["other/sub/b.txt"][1] == b"b\n"
        assert listing["flat/in"][1] == b"in\n"
        assert "flat" not in listing
        assert "dir/sub/b.txt" not in listing

    def test_a_directory_replaced_by_a_file(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, "rm -r dir; echo file > dir")
        extraction = ground.extract(box)
        assert extraction.changed == ("dir", "dir/a.txt", "dir/sub/b.txt")

    def test_a_directory_removed_and_made_again_holds_only_what_is_new(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, "rm -r dir; mkdir dir; echo n > dir/n")
        assert sorted(path for path in ground.listing(ground.extract(box).tree) if path.startswith("dir")) == ["dir/n"]

    def test_names_that_are_not_utf8_and_odd_ones(self, ground: Ground) -> None:
        box = open_box(ground, {"odd \udcff name": "1\n", "-dash": "1\n", "q\"'uote": "1\n"})
        ground.did(
            box, "for f in *; do echo 2 > \"./$f\"; done; : > \"$(printf 'new\\377')\"; : > ':(glob)*'; : > 'a\\b'"
        )
        assert set(ground.extract(box).changed) == {
            "odd \udcff name",
            "-dash",
            "q\"'uote",
            "new\udcff",
            ":(glob)*",
            "a\\b",
        }

    def test_symbolic_links_inside_stay_links(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(
            box,
            "ln -s ../keep.txt dir/link; ln -s dir folder; ln -s nowhere dangling; ln -sf keep.txt edit.txt",
        )
        extraction = ground.extract(box)
        listing = ground.listing(extraction.tree)
        assert {path: listing[path] for path in ("dir/link", "folder", "dangling", "edit.txt")} == {
            "dir/link": ("120000", b"../keep.txt"),
            "folder": ("120000", b"dir"),
            "dangling": ("120000", b"nowhere"),
            "edit.txt": ("120000", b"keep.txt"),
        }
        assert extraction.findings == ()

    def test_a_commit_made_over_the_anchor_is_what_changes_are_counted_from(self, ground: Ground) -> None:
        anchor = ground.commit(FILES)
        commit = ground.commit({"edit.txt": "parent\n", "parent.txt": "p\n"})
        box = ground.box(ground.spec(commit, anchor=anchor))
        ground.did(box, "echo mine > mine.txt; git checkout -q " + anchor + " -- edit.txt")
        extraction = ground.extract(box)
        assert extraction.changed == ("edit.txt", "mine.txt")
        assert ground.listing(extraction.tree)["edit.txt"][1] == b"before\n"

    def test_extracting_twice_gives_the_same(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, "echo x > x")
        assert ground.extract(box) == ground.extract(box)


class TestAttributesAndIgnores:
    def test_crlf_files_change_only_where_they_were_edited(self, ground: Ground) -> None:
        box = open_box(
            ground, {".gitattributes": "*.bat text eol=crlf\n*.txt text\n", "a.bat": "1\n2\n", "b.txt": "1\n"}
        )
        ground.did(box, "printf '3\\r\\n' >> a.bat; printf '1\\r\\n' > b.txt; printf 'n\\r\\n' > n.bat")
        extraction = ground.extract(box)
        assert extraction.changed == ("a.bat", "n.bat")
        listing = ground.listing(extraction.tree)
        assert listing["a.bat"][1] == b"1\n2\n3\n"
        assert listing["n.bat"][1] == b"n\n"

    def test_what_the_box_writes_into_attributes_does_not_apply(self, ground: Ground) -> None:
        box = open_box(ground, {"a.txt": "1\r\n", "sub/b.txt": "1\r\n"})
        script = "echo '* text' > .gitattributes; cp .gitattributes sub/; printf '2\\r\\n' | tee -a a.txt >> sub/b.txt"
        ground.did(box, script)
        extraction = ground.extract(box)
        assert extraction.changed == (".gitattributes", "a.txt", "sub/.gitattributes", "sub/b.txt")
        listing = ground.listing(extraction.tree)
        assert listing["a.txt"][1] == listing["sub/b.txt"][1] == b"1\r\n2\r\n"
        assert listing["sub/.gitattributes"][1] == b"* text\n"

    def test_a_file_behind_a_filter_is_refused_and_stays_as_it_was(self, ground: Ground) -> None:
        box = open_box(ground, {".gitattributes": "*.psd filter=lfs\n", "a.psd": "version lfs\n", "b.txt": "b\n"})
        ground.did(box, "echo big > a.psd; echo c > b.txt")
        extraction = ground.extract(box)
        assert findings(extraction) == {"a.psd": "unsupported_filter"}
        assert extraction.changed == ("b.txt",)

    def test_untracked_files_are_ignored_as_the_commit_says_and_not_as_the_box_says(self, ground: Ground) -> None:
        ignores = {".gitignore": "*.log\nbuild/\n!keep.log\n/top\n", "pkg/.gitignore": "!*.log\n"}
        box = open_box(ground, {**ignores, "tracked.log.txt": "x\n"})
        ground.did(
            box,
            "echo 'evil*' > .gitignore; echo x > evil.py; echo x > a.log;"
            "mkdir -p build/deep pkg sub; echo x > build/deep/x;"
            "echo x > keep.log; echo x > pkg/b.log; echo x > top; echo x > sub/top; echo x > sub/a.log",
        )
        assert ground.extract(box).changed == (".gitignore", "evil.py", "keep.log", "pkg/b.log", "sub/top")

    def test_tracked_files_are_never_ignored(self, ground: Ground) -> None:
        ground.commit({"a.log": "1\n", "out/x": "1\n"})
        box = open_box(ground, {".gitignore": "*.log\nout/\n"})
        ground.did(box, "echo 2 > a.log; echo 2 > out/x; echo 2 > out/new")
        assert ground.extract(box).changed == ("a.log", "out/x")


class TestRefused:
    def test_links_that_lead_out_are_findings_and_never_followed(self, ground: Ground) -> None:
        secret = ground.folder / "secret"
        secret.write_text("secret\n")
        box = open_box(ground, FILES)
        ground.did(
            box,
            f"ln -s {secret} absolute; ln -s ../../secret up; mkdir -p a/b/c; ln -s ../../.. a/b/c/root;"
            "ln -s a/b/c/root/../x combined; ln -s .git/config git; ln -s loop loop; ln -sf /etc/passwd keep.txt",
        )
        extraction = ground.extract(box)
        refused = {"absolute", "up", "combined", "git", "loop", "keep.txt"}
        assert findings(extraction) == dict.fromkeys(refused, "escaping_symlink")
        assert extraction.changed == ("a/b/c/root",)
        assert ground.listing(extraction.tree)["keep.txt"] == ("100644", b"keep\n")

    def test_fifos_and_sockets_are_findings_and_nobody_waits_for_them(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        script = "import socket, os; os.mkfifo('fifo'); os.remove('edit.txt'); os.mkfifo('edit.txt');"
        script += "socket.socket(socket.AF_UNIX).bind('sock')"
        ground.did(box, f'python3 -c "{script}"')
        extraction = ground.extract(box)
        assert findings(extraction) == dict.fromkeys(("fifo", "sock", "edit.txt"), "special_file")
        assert extraction.changed == ()

    def test_nested_repositories_are_findings_and_their_files_come_out(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(
            box,
            "git init -q inner; echo x > inner/x; mkdir .GIT 'git~1' .git. '.git ' dir/.Git; echo evil > .GIT/config;"
            "echo 'gitdir: /etc' > dir/sub/.git; mkdir \"$(printf '.g\\342\\200\\214it')\"",
        )
        extraction = ground.extract(box)
        names = {"inner/.git", ".GIT", "git~1", ".git.", ".git ", "dir/.Git", "dir/sub/.git", ".g\u200cit"}
        assert findings(extraction) == dict.fromkeys(names, "nested_git")
        assert extraction.changed == ("inner/x",)

    def test_names_with_control_characters_are_findings(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, ": > \"$(printf 'a\\nb')\"; : > \"$(printf 'a\\033[31mb')\"; mkdir \"$(printf 'd\\rd')\"")
        assert set(findings(ground.extract(box)).values()) == {"unsafe_name"}

    def test_files_beyond_the_cap_are_findings_sparse_ones_too(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, "truncate -s 200M sparse; truncate -s 150M edit.txt")
        extraction = ground.extract(box)
        assert findings(extraction) == {"sparse": "too_large", "edit.txt": "too_large"}
        assert extraction.changed == ()

    def test_a_linked_gitmodules_is_a_finding(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(box, "ln -s keep.txt .gitmodules; ln -s keep.txt dir/.gitattributes")
        assert findings(ground.extract(box)) == {".gitmodules": "unsafe_name", "dir/.gitattributes": "unsafe_name"}

    def test_files_inside_a_submodule_are_a_finding(self, ground: Ground) -> None:
        commit = ground.commit(FILES)
        ground.git("update-index", "--add", "--cacheinfo", f"160000,{commit},sub")
        ground.git("commit", "--quiet", "--message", "submodule")
        box = ground.box(ground.spec(ground.git("rev-parse", "HEAD").strip()))
        ground.did(box, "mkdir -p sub; echo x > sub/x")
        extraction = ground.extract(box)
        assert findings(extraction) == {"sub": "submodule"}
        assert extraction.changed == ()

    def test_names_that_some_machines_cannot_tell_apart_come_out_with_a_note(self, ground: Ground) -> None:
        box = open_box(ground, {"Read.me": "r\n", "Dir/a": "a\n", "gone": "g\n"})
        ground.did(
            box, "echo > read.me; mkdir dir; echo > dir/b; echo > caf\u00e9; echo > cafe\u0301; rm gone; echo > GONE"
        )
        extraction = ground.extract(box)
        told = {(finding.path, finding.kind, finding.refused) for finding in extraction.findings}
        names = ("caf\u00e9", "cafe\u0301", "dir/b", "read.me")
        assert told == {(name, "colliding_name", False) for name in names}
        assert {*names, "GONE"} < set(extraction.changed)

    def test_a_tree_too_deep_to_walk_is_a_finding_and_no_crash(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        script = "import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')\nopen('x', 'w')"
        ground.did(box, f'python3 -c "{script}"')
        (finding,) = ground.extract(box).findings
        assert (finding.kind, finding.refused) == ("too_deep", True)
        assert len(finding.path) <= 401
        ground.driver.destroy(box)
        ground.await_empty("trash")

    def test_nothing_that_the_box_configured_runs_on_the_host(self, ground: Ground) -> None:
        mark = ground.folder / "fired"
        box = open_box(ground, {**FILES, ".gitattributes": "*.txt filter=evil diff=evil\n"})
        evil = f"touch {mark}"
        ground.did(
            box,
            "for k in core.fsmonitor filter.evil.clean filter.evil.process diff.evil.textconv core.pager; do"
            f" git config $k '{evil}'; done; git config core.hooksPath .hooks; mkdir -p .hooks .git/hooks;"
            f"for h in post-index-change pre-commit post-checkout; do printf '#!/bin/sh\\n{evil}\\n' > .hooks/$h;"
            f" cp .hooks/$h .git/hooks/; chmod +x .hooks/$h .git/hooks/$h; done;"
            f"git config include.path {ground.folder}/evil; echo 1 > new.py; rm -f {mark}",
        )
        mark.unlink(missing_ok=True)
        ground.extract(box)
        assert not mark.exists()

    @pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
    def test_what_may_not_be_read_is_a_finding(self, ground: Ground) -> None:
        box = open_box(ground, FILES)
        ground.did(
            box, "chmod 000 edit.txt; mkdir shut listed; : > shut/x; : > listed/x; chmod 000 shut; chmod 444 listed"
        )
        shut = ("edit.txt", "shut", *(["listed"] if ground.driver.kind in ("embedded", "none") else []))
        assert findings(ground.extract(box)) == dict.fromkeys(shut, "unreadable")

    @pytest.mark.parametrize("mode", ["000", "444", "111"])
    def test_a_work_tree_that_is_shut_comes_out(self, ground: Ground, mode: str) -> None:
        box = open_box(ground, FILES)
        ground.did(box, f"echo 1 > new.txt; chmod {mode} .")
        assert ground.extract(box).changed == ("new.txt",)


def test_an_extracted_copy_never_keeps_a_special_mode(tmp_path: Path) -> None:
    ground = make_ground(tmp_path, "embedded")
    box = open_box(ground, FILES)
    ground.did(box, "chmod 4755 script.sh; chmod 6755 edit.txt")
    try:
        listing = ground.listing(ground.extract(box).tree)
    finally:
        ground.close()
    assert (listing["script.sh"][0], listing["edit.txt"][0]) == ("100755", "100755")
    assert not any(path.lstat().st_mode & stat.S_ISUID for path in ground.quarantine.rglob("*"))


@given(
    links=st.dictionaries(
        st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map("/".join),
        st.lists(st.sampled_from(["a", "b", "..", ".", "c"]), min_size=1, max_size=4).map("/".join),
        max_size=4,
    ),
)
@settings(database=None, deadline=None)
def test_a_link_that_is_let_through_never_leaves_the_tree(
    links: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("tree")
    real = {place: target for place, target in links.items() if _make_link(root, place, target)}
    for place in real:
        if not escapes(place, real):
            resolved = Path(os.path.realpath(root / place))
            assert resolved == root or root in resolved.parents


def _make_link(root: Path, place: str, target: str) -> bool:
    link = root / place
    for parent in [*link.relative_to(root).parents][:-1]:
        if (root / parent).is_symlink():
            return False
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "name", [".git", ".GIT", "git~1", "GIT~1", ".git.", ".git ", ".git::$INDEX", "a\\.git", ".gi\u200dt"]
)
def test_every_spelling_of_git_is_known(name: str) -> None:
    assert is_git_like(name)


@pytest.mark.parametrize("name", [".gitignore", "git", ".github", "x.git", "git~10"])
def test_ordinary_names_are_not_taken_for_git(name: str) -> None:
    assert not is_git_like(name)
