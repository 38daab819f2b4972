"""Sparse code in: just the files asked for are there, git finds nothing odd, and what is not there stays as it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from switchyard_sandbox import BoxId, Command, SetUp
from switchyard_sandbox.sparse import laid_out

from sandbox.boxes import DRIVERS, Ground, make_ground

FILES: dict[str, bytes | str | None] = {
    "README.md": "readme\n",
    "root.txt": "root\n",
    ".gitignore": "*.log\n",
    "lib/.gitattributes": "*.bat text eol=crlf\n",
    "lib/a.py": "a\n",
    "lib/b.py": "b\n",
    "lib/run.bat": "one\n",
    "lib/deep/c.py": "c\n",
    "app/main.py": "main\n",
    "app/other.py": "other\n",
}


@pytest.fixture(params=sorted(DRIVERS))
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    made = make_ground(tmp_path, request.param)
    yield made
    made.close()


def open_box(ground: Ground, commit: str, *paths: str, anchor: str = "", setup: SetUp | None = None) -> BoxId:
    spec = ground.spec(commit, anchor=anchor, setup=setup)
    return ground.box(replace(spec, code=replace(spec.code, paths=paths)))


def found(ground: Ground, box: BoxId) -> list[str]:
    return ground.did(box, "find . -name .git -prune -o ! -type d -print | cut -c3- | LC_ALL=C sort").splitlines()


@pytest.mark.sandbox
class TestABox:
    def test_just_the_named_files_are_there_and_git_finds_nothing_odd(self, ground: Ground) -> None:
        commit = ground.commit(FILES)
        box = open_box(ground, commit, "lib/a.py", "lib/run.bat", "app")
        assert found(ground, box) == ["app/main.py", "app/other.py", "lib/a.py", "lib/run.bat"]
        assert ground.did(box, "git status --porcelain; git rev-parse HEAD; cat lib/run.bat") == f"{commit}\none\r\n"
        assert ground.extract(box).changed == ()

    def test_other_boxes_of_the_commit_have_files_of_their_own(self, ground: Ground) -> None:
        commit = ground.commit(FILES)
        boxes = [open_box(ground, commit, *paths) for paths in (("lib/a.py",), ("lib/b.py",), ())]
        assert [len(found(ground, box)) for box in boxes] == [1, 1, len(FILES)]

    def test_new_changed_and_removed_files_count_and_the_rest_is_unchanged(self, ground: Ground) -> None:
        box = open_box(ground, ground.commit(FILES), "lib/a.py", "app/main.py")
        script = (
            "echo new > lib/new.py; rm app/main.py; echo 2 > lib/a.py; mkdir -p z; echo z > z/z; echo over > root.txt;"
            "echo b > lib/b.py; echo x > x.log"
        )
        ground.did(box, script)
        extraction = ground.extract(box)
        assert extraction.changed == ("app/main.py", "lib/a.py", "lib/new.py", "root.txt", "z/z")
        assert set(ground.listing(extraction.tree)) == {*FILES, "lib/new.py", "z/z"} - {"app/main.py"}

    def test_gits_own_commands_take_edits_and_new_files(self, ground: Ground) -> None:
        box = open_box(ground, ground.commit(FILES), "lib/a.py")
        ground.did(box, "echo 2 > lib/a.py; echo n > lib/n; echo t > top; git add -A && git commit -qm inside")
        assert (
            ground.did(box, "git status --porcelain; git show --name-only --format= HEAD") == "lib/a.py\nlib/n\ntop\n"
        )
        assert ground.extract(box).changed == ("lib/a.py", "lib/n", "top")

    def test_a_later_commit_lays_out_no_more_than_was_named(self, ground: Ground) -> None:
        anchor = ground.commit(FILES)
        later = ground.commit({"lib/a.py": "later\n", "lib/fresh.py": "f\n", "made/x.py": "x\n", "app/main.py": None})
        box = open_box(ground, later, "lib/a.py", "made/x.py", "app/main.py", anchor=anchor)
        assert found(ground, box) == ["lib/a.py", "made/x.py"]
        assert ground.did(box, "git status --porcelain; git rev-parse HEAD; cat lib/a.py") == f"{later}\nlater\n"
        ground.did(box, "echo 2 >> made/x.py")
        extraction = ground.extract(box)
        assert extraction.changed == ("made/x.py",)
        assert ground.listing(extraction.tree)["lib/fresh.py"] == ("100644", b"f\n")

    def test_set_up_sees_all_files(self, ground: Ground) -> None:
        commit = ground.commit(FILES)
        box = open_box(ground, commit, "lib/a.py", setup=SetUp(("cat root.txt app/main.py > installed; rm lib/b.py",)))
        assert found(ground, box) == ["installed", "lib/a.py"]
        assert ground.did(box, "cat installed") == "root\nmain\n"
        assert ground.extract(box).changed == ()

    def test_a_link_through_one_that_is_not_there_leads_out_all_the_same(self, ground: Ground) -> None:
        (ground.repository / "up").symlink_to("..")
        commit = ground.commit(FILES)
        box = open_box(ground, commit, "lib/a.py")
        ground.did(box, "ln -s up/secret leak")
        assert [(finding.path, finding.kind) for finding in ground.extract(box).findings] == [
            ("leak", "escaping_symlink")
        ]

    def test_a_name_that_is_not_there_lays_out_nothing(self, ground: Ground) -> None:
        box = open_box(ground, ground.commit(FILES), "lib/such.py")
        assert found(ground, box) == []
        ground.did(box, "mkdir lib; echo x > lib/such.py; git add -A")
        assert ground.extract(box).changed == ("lib/such.py",)

    def test_a_link_that_a_folder_took_the_place_of_leads_nowhere_any_more(self, ground: Ground) -> None:
        (ground.repository / "up").symlink_to("..")
        commit = ground.commit({"lib/a.py": "a\n"})
        box = open_box(ground, commit, "lib/a.py")
        ground.did(box, "mkdir up; echo x > up/x; ln -s up/x inside")
        extraction = ground.extract(box)
        assert (extraction.findings, set(ground.listing(extraction.tree))) == ((), {"inside", "lib/a.py", "up/x"})


NAMES = ["a", "b", "c d", "#x", "!y", "*", "[z]", "q\\", " lead", "trail ", "é", "odd \udcff", ".gitignore", "t\tb"]
CONTENTS = ["1\n", "2\n", "b\n", "x\r\n", "* text eol=crlf\n", "", "link:a", "link:../b", "link:.."]
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
contents = st.sampled_from(CONTENTS)
trees = st.dictionaries(paths, contents, min_size=1, max_size=12)

# Written so that it comes to the same wherever it runs: what is in the way of a path goes.
EDIT = """
import json, os, shutil, sys
for path, content in json.load(sys.stdin):
    path = path.encode("utf-8", "surrogateescape")
    parts = path.split(b"/")
    parents = [b"/".join(parts[:n]) for n in range(1, len(parts))]
    if content is None:
        if not any(os.path.islink(p) for p in parents) and os.path.lexists(path) and not os.path.isdir(path):
            os.unlink(path)
        continue
    for parent in parents:
        if os.path.islink(parent) or os.path.isfile(parent):
            os.unlink(parent)
        os.makedirs(parent, exist_ok=True)
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
    if content.startswith("link:"):
        os.symlink(content[5:], path)
    else:
        open(path, "wb").write(content.encode())
"""


def without_clashes(tree: dict[str, str]) -> dict[str, str]:
    """Those of a tree's paths that can stand beside each other, and attributes that say something."""
    kept: dict[str, str] = {}
    for path, content in tree.items():
        if not any(path == one or path.startswith(f"{one}/") or one.startswith(f"{path}/") for one in kept):
            linked = content.startswith("link:") and path.endswith(".gitignore")
            kept[path] = "b\n" if linked else content
    return kept


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str], list[str], list[tuple[str, str | None]]]:
    """A tree, the one that is worked on, what of it is laid out, and edits of files that are there or new."""
    anchor, commit = without_clashes(draw(trees)), without_clashes(draw(trees))
    if draw(st.booleans()):
        commit = anchor
    known = sorted({"/".join(path.split("/")[:depth]) for path in commit for depth in (1, 2, 3)})
    named = draw(st.lists(st.one_of(st.sampled_from(known), paths), min_size=1, max_size=4))
    gone = draw(st.lists(st.sampled_from(sorted(commit)), max_size=3))
    changed: dict[str, Any] = {**draw(trees), **dict.fromkeys(laid_out(gone, named))}
    return anchor, commit, named, list(without_clashes_of(changed).items())


def without_clashes_of(edits: dict[str, Any]) -> dict[str, Any]:
    return {path: edits[path] for path in without_clashes(dict.fromkeys(edits, ""))}


def lay_down(ground: Ground, tree: dict[str, str]) -> str:
    for place in ground.repository.iterdir():
        if place.name != ".git":
            shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
    for path, content in tree.items():
        place = ground.repository / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("link:"):
            place.symlink_to(content[5:])
        else:
            place.write_bytes(content.encode())
    ground.git("add", "--all", "--force")
    ground.git("commit", "--quiet", "--allow-empty", "--message", "tree")
    return ground.git("rev-parse", "HEAD").strip()


def outcome(ground: Ground, box: BoxId, edits: list[tuple[str, str | None]]) -> object:
    done = ground.driver.execute(box, Command(("python3", "-c", EDIT), stdin=json.dumps(edits).encode()))
    assert done.ok, done
    extraction = ground.extract(box)
    ground.driver.destroy(box)
    return extraction


@pytest.mark.nightly
@pytest.mark.sandbox
@given(case=cases())
@settings(max_examples=25, deadline=None, derandomize=True, phases=(Phase.generate,))
def test_the_result_is_that_of_a_full_box_with_the_same_edits(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[dict[str, str], dict[str, str], list[str], list[tuple[str, str | None]]],
) -> None:
    first, second, named, edits = case
    ground = make_ground(tmp_path_factory.mktemp("ground"), "none")
    anchor = lay_down(ground, first)
    commit = anchor if first is second else lay_down(ground, second)
    sparse, full = open_box(ground, commit, *named, anchor=anchor), open_box(ground, commit, anchor=anchor)
    there = ground.did(sparse, "git status --porcelain -uno; find . -name .git -prune -o ! -type d -print0").split("\0")
    assert {path.removeprefix("./") for path in there if path} == laid_out(second, named)
    assert outcome(ground, sparse, edits) == outcome(ground, full, edits)
