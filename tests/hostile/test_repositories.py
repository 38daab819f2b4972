"""Trees that a host's git must not obey: what a box left is made the next box's commit, and nothing of it ever runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox.boxes import Ground
from switchyard_sandbox import BoxId, BoxSpec, CodeIn

pytestmark = pytest.mark.sandbox

_BARE = """
git init -q --bare inner
for key in core.fsmonitor core.pager core.sshCommand core.editor diff.external alias.status filter.x.clean; do
    git -C inner config $key '{evil}'
done
git -C inner config include.path {folder}/evil
git -C inner config core.worktree ..
for hook in post-checkout post-index-change reference-transaction pre-auto-gc fsmonitor-watchman; do
    printf '#!/bin/sh\\n{evil}\\n' > inner/hooks/$hook
    chmod +x inner/hooks/$hook
done
rm -f inner/hooks/*.sample
"""
_SUBMODULES = """
printf '[submodule "a"]\\n\\tpath = a\\n\\turl = ext::sh -c {quoted}\\n\\tupdate = !{evil}\\n' > .gitmodules
printf '[submodule "../../b"]\\n\\tpath = b\\n\\turl = -u./evil\\n\\tfetchRecurseSubmodules = true\\n' >> .gitmodules
printf '[submodule "c"]\\n\\tpath = -c\\n\\turl = --upload-pack={evil}\\n' >> .gitmodules
mkdir a b; printf 'gitdir: ../.git/modules/a\\n' > a/.git; echo x > a/x
"""
_ATTRIBUTES = """
mkdir -p deep/er
printf '* filter=evil diff=evil merge=evil ident export-subst working-tree-encoding=UTF-16\\n' > deep/.gitattributes
printf '* filter=lfs -text\\n' > deep/er/.gitattributes
echo x > deep/er/x
git config filter.evil.clean '{evil}'; git config filter.evil.smudge '{evil}'; git config filter.evil.required true
git config diff.evil.textconv '{evil}'; git config merge.evil.driver '{evil}'
mkdir -p .git/info; cp deep/.gitattributes .git/info/attributes
"""


def carried_over(ground: Ground, box: BoxId, script: str) -> tuple[str, ...]:
    """Run a script, take the tree out, and make a box of it; the paths that changed."""
    mark = ground.folder / "ran"
    evil = f"touch {mark}"
    text = script.replace("{evil}", evil).replace("{quoted}", evil.replace(" ", "%20"))
    ground.did(box, text.replace("{folder}", str(ground.folder)))
    # Where nothing isolates paths, the script itself may have set it off.
    mark.unlink(missing_ok=True)
    extraction = ground.extract(box)
    commit = adopt(ground, extraction.tree)
    following = ground.box(
        BoxSpec(labels={"task": "next"}, code=CodeIn(ground.repository, commit, commit), allow_degraded=True)
    )
    ground.driver.extract(following, ground.quarantine)
    assert not mark.exists()
    return extraction.changed


def adopt(ground: Ground, tree: str) -> str:
    """Make an extracted tree a commit of the maintainer's repository, as the factory would."""
    parent = ground.git("rev-parse", "HEAD").strip()
    commit = ground.git("commit-tree", tree, "-p", parent, "-m", "result", cwd=ground.quarantine).strip()
    ground.git("fetch", "--quiet", str(ground.quarantine), f"{commit}:refs/heads/result", cwd=Path(ground.repository))
    return commit


def test_h05_a_bare_repository_among_the_files_is_not_entered(ground: Ground, box: BoxId) -> None:
    changed = carried_over(ground, box, _BARE)
    assert "inner/config" in changed
    assert "inner/HEAD" in changed


def test_h35_submodules_with_hostile_addresses_run_nothing(ground: Ground, box: BoxId) -> None:
    changed = carried_over(ground, box, _SUBMODULES)
    assert ".gitmodules" in changed
    assert "a/.git" not in changed


def test_h04_attributes_in_any_folder_run_nothing(ground: Ground, box: BoxId) -> None:
    changed = carried_over(ground, box, _ATTRIBUTES)
    assert {"deep/.gitattributes", "deep/er/.gitattributes", "deep/er/x"} == set(changed)


@pytest.mark.parametrize(
    "script",
    [
        "echo /etc > .git/objects/info/alternates; echo ../../../../etc >> .git/objects/info/alternates",
        "rm -rf .git; ln -s /etc .git",
        "rm -rf .git; echo 'gitdir: /etc' > .git",
        "rm -rf .git; mkfifo .git",
        "git update-index --assume-unchanged README.md; git update-index --skip-worktree dir/x",
        "printf 'junk' > .git/index; printf 'junk' > .git/HEAD; rm -rf .git/refs",
        "git replace -f HEAD $(git commit-tree HEAD^{tree} -m x); git update-ref refs/heads/main HEAD",
        "echo README.md > .git/info/exclude; echo '*' > ~/x; git config core.excludesFile ~/x",
    ],
    ids=["alternates", "link", "file", "pipe", "index tricks", "junk", "replaced objects", "ignored"],
)
def test_h02_nothing_that_a_box_does_to_its_git_hides_a_change(ground: Ground, box: BoxId, script: str) -> None:
    ground.did(box, f"{script}; echo 2 > README.md")
    extraction = ground.extract(box)
    assert (extraction.changed, extraction.findings) == (("README.md",), ())
    assert ground.listing(extraction.tree)["README.md"] == ("100644", b"2\n")
