"""After any edits, a tree that was known before gives what it would give from scratch."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from switchyard_context import Codebase
from switchyard_context.terms import FIELDS

from .conftest import Project

TREE: dict[str, str] = {
    "pkg/__init__.py": "from .low import low\nfrom .mid import *\n",
    "pkg/low.py": "def low(): pass\n",
    "pkg/mid.py": "from pkg import low\ndef mid(): pass\n",
    "pkg/sub/deep.py": "from pkg import mid, low\nimport pkg.low\n",
    "app.py": "from pkg import low, mid\nfrom pkg.sub import deep\n",
    "test_app.py": "import app\nfrom pkg import gone\n",
    "lib/pkg/__init__.py": "",
    "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["lib"]\n',
    "web/package.json": '{"name": "web", "main": "src/index.ts"}',
    "web/src/index.ts": "export { a } from './a'\nexport * from './b'\n",
    "web/src/a.ts": "export const a = 1\n",
    "web/src/b.ts": "import { a } from '@/a'\nexport function b() {}\n",
    "web/src/main.tsx": "import { a, b } from '.'\nimport './gone'\n",
    "web/tsconfig.json": '{"compilerOptions": {"paths": {"@/*": ["./src/*"]}}}',
    "other/index.ts": "import { b } from 'web'\n",
    "notes.md": "# Notes\n",
}
CONTENTS = sorted(
    {
        *TREE.values(),
        "from .mid import mid as low\n",
        "def low(): pass\ndef more(): pass\n",
        "\n\ndef low():\n    return 1\n",
        "from .sub.deep import *\n",
        "export { b as a } from './b'\n",
        "export const b = 2, a = 3\n",
        "import b from 'web/src/b'\n",
        '{"name": "other", "main": "src/b.ts"}',
        '{"compilerOptions": {"paths": {"@/*": ["../other/*"]}}}',
        "[tool.pytest.ini_options]\n",
        "\0",
        "",
    }
)
PATHS = sorted(
    {*TREE, "pkg/new.py", "lib/low.py", "web/src/gone.ts", "other/package.json", "pkg/sub/__init__.py", "low.js"}
)
EDITS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(PATHS), st.sampled_from(CONTENTS)),
    st.tuples(st.just("remove"), st.sampled_from(PATHS), st.just("")),
    st.tuples(st.just("move"), st.sampled_from(PATHS), st.sampled_from(PATHS)),
)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(st.lists(st.lists(EDITS, min_size=1, max_size=3), min_size=1, max_size=4))
def test_any_edits_give_what_a_fresh_look_gives(
    project: Project, tmp_path: Path, rounds: list[list[tuple[str, str, str]]]
) -> None:
    cache, rows = Path(mkdtemp(dir=tmp_path)), tmp_path / "rows"
    _clear(project)
    project.write(TREE)
    project.codebase(cache=cache)
    for edits in rounds:
        for edit in edits:
            _apply(project.root, *edit)
        # What is known of single blobs may be kept: it does not hang on what the tree was before.
        shutil.rmtree(rows / "trees", ignore_errors=True)
        fresh = seen(project.codebase(cache=rows))
        assert seen(project.codebase(cache=cache)) == fresh
        assert seen(project.codebase(cache=cache)) == fresh


def seen(codebase: Codebase) -> object:
    """All that a question can be answered from."""
    words = ("low", "mid", "deep", "src", "new", "low.py", "def", "notes", "pkg")
    graph, terms = codebase.graph, codebase.terms
    return (
        graph.as_json(),
        codebase.problems,
        list(graph.facts.items()),
        [(field, terms.lengths(field).tolist()) for field in FIELDS],
        [
            (field, word, postings.files.tolist(), postings.counts.tolist())
            for field in FIELDS
            for word in words
            for postings in [terms.postings(field, word)]
        ],
    )


def _clear(project: Project) -> None:
    for place in project.root.iterdir():
        if place.name != ".git":
            shutil.rmtree(place) if place.is_dir() else place.unlink()


def _apply(root: Path, verb: str, path: str, other: str) -> None:
    file = root / path
    match verb:
        case "write":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(other)
        case "remove":
            file.unlink(missing_ok=True)
        case "move" if file.is_file():
            (root / other).parent.mkdir(parents=True, exist_ok=True)
            file.replace(root / other)


AFTER: dict[str, tuple[str, str, str, str]] = {
    "the file itself": ("app.py", "import test_app\n", "app.py", "test_app.py"),
    "a re-exported name": ("pkg/mid.py", "def more(): pass\n", "user.py", "pkg/mid.py"),
    "a barrel": ("web/src/index.ts", "export { b as a } from './b'\n", "web/src/user.ts", "web/src/b.ts"),
    "an alias": ("web/tsconfig.json", TREE["web/tsconfig.json"].replace("src", "lib"), "web/src/b.ts", "web/lib/a.ts"),
    "a new file": ("web/src/gone.ts", "", "web/src/main.tsx", "web/src/gone.ts"),
}


@pytest.mark.parametrize("what", AFTER)
def test_an_edit_moves_the_edges_that_rest_on_it(project: Project, tmp_path: Path, what: str) -> None:
    path, content, importer, imported = AFTER[what]
    users = {"user.py": "from pkg import more\n", "web/src/user.ts": "import { a } from '.'\n"}
    project.write({**TREE, **users, "pkg/__init__.py": "from .mid import *\n", "web/lib/a.ts": ""})
    before = project.codebase(cache=tmp_path / "cache").graph.edges()
    after = project.write({path: content}).codebase(cache=tmp_path / "cache").graph.edges()
    assert (importer, imported) in {(e.importer, e.imported) for e in after} - {
        (e.importer, e.imported) for e in before
    }


def test_a_rename_alone_keeps_words_and_edges(project: Project, tmp_path: Path) -> None:
    project.write(TREE).codebase(cache=tmp_path / "cache")
    (project.root / "web").rename(project.root / "site")
    found = project.codebase(cache=tmp_path / "cache")
    assert seen(found) == seen(project.codebase())
    assert ("site/src/main.tsx", "site/src/a.ts") in {(e.importer, e.imported) for e in found.graph.edges()}
