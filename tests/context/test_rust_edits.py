"""After edits of Rust files, a tree that was known before gives what it would give from scratch."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Project

MANIFEST = '[package]\nname = "app"\nedition = "2021"\n'
TREE: dict[str, str] = {
    "Cargo.toml": MANIFEST + '[dependencies]\nlow = { path = "low" }\n[workspace]\nmembers = ["low"]\n',
    "src/lib.rs": "pub mod a;\npub mod b;\nmod user;\n#[macro_use]\nmod rules;\npub use low::Deep;\npub use b::*;\n",
    "src/a.rs": "pub mod inner;\npub use self::inner::Thing;\npub struct A;\n",
    "src/a/inner.rs": "use super::super::b::B;\npub struct Thing;\n",
    "src/b.rs": "pub use crate::a::*;\npub use crate::user::*;\npub struct B;\npub mod m { pub use crate::a::A; }\n",
    "src/user.rs": "use crate::*;\nuse crate::b::{Thing, m::A};\nfn f(x: B, y: Deep) { crate::mac!(); Thing }\n",
    "src/rules.rs": "#[macro_export]\nmacro_rules! mac { () => {} }\n",
    "src/odd/place.rs": "use super::B;\nuse crate::a::A;\n",
    "src/main.rs": "use app::Thing;\nuse app::b::m::A;\nuse low::Deep;\nmod odd;\n",
    "src/odd.rs": "pub mod place;\nuse crate::gone;\n",
    "tests/t.rs": "use app::a::inner;\nuse app::{B, Deep};\nfn f() { inner::Thing; }\n",
    "low/Cargo.toml": '[package]\nname = "low"\n',
    "low/src/lib.rs": "mod deep;\npub use deep::*;\n",
    "low/src/deep.rs": "pub struct Deep;\n",
}
CONTENTS = sorted(
    {
        *TREE.values(),
        MANIFEST,
        MANIFEST.replace("app", "other"),
        MANIFEST + '[lib]\npath = "src/a.rs"\n',
        'pub mod b;\nmod a;\n#[path = "odd/place.rs"]\nmod place;\n',
        "pub use crate::b::Thing;\npub struct B;\n",
        "pub use crate::b::B as Thing;\nmod inner { pub struct Thing; }\n",
        "pub mod m {}\npub use crate::a::A;\npub struct B;\n",
        "\n\npub struct Thing;\n",
        "pub struct Renamed;\nfn f() { use crate::a::Thing; }\n",
        "use super::Thing;\nuse super::super::A;\n",
        "",
    }
)
PATHS = sorted({*TREE, "src/a/mod.rs", "src/b/m.rs", "src/gone.rs", "src/new.rs"})
EDITS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(sorted(TREE)), st.sampled_from(CONTENTS)),
    st.tuples(st.just("write"), st.sampled_from(PATHS), st.sampled_from(CONTENTS)),
    st.tuples(st.just("remove"), st.sampled_from(PATHS), st.just("")),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(EDITS, min_size=1, max_size=3), min_size=1, max_size=4))
def test_any_edits_of_rust_give_what_a_fresh_look_gives(
    project: Project, tmp_path: Path, rounds: list[list[tuple[str, str, str]]]
) -> None:
    cache, rows = Path(mkdtemp(dir=tmp_path)), tmp_path / "rows"
    for place in project.root.iterdir():
        if place.name != ".git":
            shutil.rmtree(place) if place.is_dir() else place.unlink()
    project.write(TREE).graph(cache=cache)
    for edits in rounds:
        for verb, path, content in edits:
            if verb == "write":
                project.write({path: content})
            else:
                (project.root / path).unlink(missing_ok=True)
        # What is known of single blobs may be kept: it does not hang on what the tree was before.
        shutil.rmtree(rows / "trees", ignore_errors=True)
        assert project.graph(cache=cache).as_json() == project.graph(cache=rows).as_json()


AFTER: dict[str, tuple[str, str, str, str]] = {
    "a re-export": ("src/b.rs", "pub use crate::rules::X as Thing;\n", "src/user.rs", "src/rules.rs"),
    "a re-export behind two others": (
        "low/src/deep.rs",
        "pub use crate::more::Deep;\n",
        "tests/t.rs",
        "low/src/more.rs",
    ),
    "a module's parent": ("src/lib.rs", TREE["src/lib.rs"] + "pub mod odd;\n", "src/odd/place.rs", "src/a.rs"),
    "a glob": ("src/b.rs", "pub use crate::rules::*;\n", "src/main.rs", "src/rules.rs"),
    "a manifest": (
        "low/Cargo.toml",
        '[package]\nname = "low"\n[lib]\npath = "src/more.rs"\n',
        "src/main.rs",
        "low/src/more.rs",
    ),
}


@pytest.mark.parametrize("what", AFTER)
def test_an_edit_of_rust_moves_the_edges_that_rest_on_it(project: Project, tmp_path: Path, what: str) -> None:
    path, content, importer, imported = AFTER[what]
    more = {
        "low/src/lib.rs": "mod deep;\nmod more;\npub use deep::*;\n",
        "low/src/more.rs": "pub struct Deep;\n",
        "src/rules.rs": "pub struct X;\npub struct Thing;\n",
    }
    before = project.write(TREE | more).graph(cache=tmp_path / "cache")
    after = project.write({path: content}).graph(cache=tmp_path / "cache")
    edge = (importer, imported)
    assert edge not in {(e.importer, e.imported) for e in before.edges()}
    assert edge in {(e.importer, e.imported) for e in after.edges()}
    assert after.as_json() == project.graph().as_json()


def test_a_re_export_that_moves_into_a_module_of_its_file_is_seen_to(project: Project, tmp_path: Path) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": "mod x;\nmod user;\nmod m { pub use crate::x::X; }\n",
            "src/x.rs": "pub struct X;\n",
            "src/user.rs": "use crate::m::X;\n",
        }
    )
    assert ("src/user.rs", "src/x.rs") in {
        (e.importer, e.imported) for e in project.graph(cache=tmp_path / "c").edges()
    }
    project.write({"src/lib.rs": "mod x;\nmod user;\nmod m { }\npub use crate::x::X;\n"})
    after = project.graph(cache=tmp_path / "c")
    assert ("src/user.rs", "src/x.rs") not in {(e.importer, e.imported) for e in after.edges()}
