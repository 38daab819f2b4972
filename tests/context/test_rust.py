"""Rust: what files say, and where their paths lead."""

from __future__ import annotations

import pytest
from switchyard_context.graph import is_test
from switchyard_context.reading import read_facts

from .conftest import Project

MANIFEST = '[package]\nname = "my-app"\nedition = "2021"\n'


def _imports(source: str) -> list[tuple[int, str, tuple[tuple[str, str], ...], str]]:
    return [(i.line, i.module, i.names, i.kind) for i in read_facts("a.rs", source.encode()).imports]


def test_definitions_have_their_attributes_signatures_and_owners() -> None:
    facts = read_facts(
        "a.rs",
        b"#![cfg(unix)]\n/// About f.\n#[inline]\npub fn f(\n    a: u8,\n) -> u8 {\n    fn inner() {}\n    a\n}\n"
        b"pub struct S {\n    a: u8,\n}\nimpl<T> Tr for &S<T> {\n    const C: u8 = 1;\n    fn m(&self) {\n    }\n}\n"
        b"trait Tr {\n    fn sig(&self);\n}\nmod inner {\n    pub enum E { A }\n}\nmacro_rules! mac { () => {} }\n"
        b'type Al = u8;\nstatic ST: u8 = 1;\nunion U { a: u8 }\nextern "C" {\n    fn c_call();\n}\n',
    )
    assert [(d.name, d.kind, d.first_line, d.header_line, d.last_line) for d in facts.definitions] == [
        ("f", "function", 3, 6, 9),
        ("S", "class", 10, 12, 12),
        ("S.C", "constant", 14, 14, 14),
        ("S.m", "method", 15, 15, 16),
        ("Tr", "type", 18, 18, 20),
        ("Tr.sig", "method", 19, 19, 19),
        ("inner", "module", 21, 21, 23),
        ("inner.E", "class", 22, 22, 22),
        ("mac", "function", 24, 24, 24),
        ("Al", "type", 25, 25, 25),
        ("ST", "constant", 26, 26, 26),
        ("U", "class", 27, 27, 27),
        ("c_call", "function", 29, 29, 29),
    ]
    assert facts.attributes == ("#![cfg(unix)]",)


def test_items_inside_of_a_macro_call_are_read_as_if_they_stood_there_by_themselves() -> None:
    facts = read_facts(
        "a.rs", b"cfg_rt! {\n    mod x;\n    pub use x::Y;\n    cfg_io! {\n        pub struct Deep;\n    }\n}\n"
    )
    assert [(d.name, d.first_line) for d in facts.definitions] == [("Deep", 5)]
    assert [(i.line, i.module, i.kind) for i in facts.imports] == [(2, "mod x", "import"), (3, "x", "reexport")]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("use a::b;", [("a", (("b", "b"),))]),
        ("use a::b as c;", [("a", (("b", "c"),))]),
        ("use a::B as _;", [("a", (("B", ""),))]),
        ("use a;", [("a", (("self", "a"),))]),
        ("use ::a::b;", [("::a", (("b", "b"),))]),
        ("use a::{self, B};", [("a", (("self", "a"), ("B", "B")))]),
        ("use a::{b::{C, d::*}, e as f};", [("a::b", (("C", "C"),)), ("a::b::d", (("*", "*"),)), ("a", (("e", "f"),))]),
        ("use {a::b, crate::c};", [("a", (("b", "b"),)), ("crate", (("c", "c"),))]),
        ("use super::super::a;", [("super::super", (("a", "a"),))]),
        ("use a::r#type;", [("a", (("type", "type"),))]),
        ("use a::{ // one\n    B, /* two */ C,\n};", [("a", (("B", "B"), ("C", "C")))]),
        ("extern crate a as b;", [("::a", (("self", "b"),))]),
        ('#[path = "x/y.rs"] mod a;', [('mod a = "x/y.rs"', (("self", "a"),))]),
        ('include!("x.rs");', [('"x.rs"', ())]),
    ],
)
def test_a_declaration_is_one_import_for_each_module_it_names(
    statement: str, expected: list[tuple[str, tuple[tuple[str, str], ...]]]
) -> None:
    assert [(module, names) for _, module, names, _ in _imports(statement)] == expected


def test_paths_are_seen_in_code_types_and_macros_and_nowhere_else() -> None:
    source = (
        "fn f(a: crate::a::A) -> Vec<b::B> {\n    c::call(vec![crate::d::D]);\n"
        '    println!("{}", "in::string", \'"\', e::E); // in::comment /* */\n    /* in::block */ r#"in::raw "#;\n'
        "    quote! { in::quoted }; std::mem::swap(x, y); Self::new(); u8::MAX; g::last!();\n}\n"
        "macro_rules! m { () => { $crate::h::H; in_macro::x } }\n"
    )
    assert [module for _, module, _, _ in _imports(source)] == ["crate::a", "b", "c", "crate::d", "e", "g", "crate::h"]


def test_a_syntax_error_costs_only_what_stands_there() -> None:
    facts = read_facts("a.rs", b"use a::b;\nfn one() {}\nfn ( {{{ struct\nuse c::d;\nstruct Two;\n")
    assert [item.module for item in facts.imports] == ["a", "c"]
    assert "one" in [item.name for item in facts.definitions]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00use", b"use a::\xff\xfe;\nfn \xc3\x28() {}\n", b'"' * 9, b"use a::{{{{"]
)
def test_bytes_that_are_not_text_are_no_error(content: bytes) -> None:
    read_facts("a.rs", content)


@pytest.mark.parametrize(
    ("files", "importer", "statement", "expected"),
    [
        ({"src/x.rs": ""}, "src/lib.rs", "mod x;", {"src/x.rs": "import"}),
        ({"src/x/mod.rs": ""}, "src/main.rs", "mod x;", {"src/x/mod.rs": "import"}),
        ({"src/lib.rs": "mod a;", "src/a/x.rs": ""}, "src/a.rs", "mod x;", {"src/a/x.rs": "import"}),
        ({"src/lib.rs": "mod a;", "src/a/x.rs": ""}, "src/a/mod.rs", "mod x;", {"src/a/x.rs": "import"}),
        ({"src/a/x.rs": ""}, "src/lib.rs", "mod a { mod x; }", {"src/a/x.rs": "import"}),
        ({"src/q.rs": ""}, "src/lib.rs", '#[path = "q.rs"]\nmod x;', {"src/q.rs": "import"}),
        ({"src/a/q.rs": ""}, "src/lib.rs", 'mod a { #[path = "q.rs"] mod x; }', {"src/a/q.rs": "import"}),
        (
            {"src/unix.rs": "", "src/win.rs": ""},
            "src/lib.rs",
            '#[cfg_attr(unix, path = "unix.rs")]\n#[cfg_attr(windows, path = "win.rs")]\nmod x;',
            {"src/unix.rs": "import", "src/win.rs": "import"},
        ),
        ({"tests/common/mod.rs": ""}, "tests/one.rs", "mod common;", {"tests/common/mod.rs": "import"}),
        ({"src/data.rs": ""}, "src/lib.rs", 'include!("data.rs");', {"src/data.rs": "import"}),
        ({"src/lib.rs": "pub struct S;"}, "src/main.rs", "use my_app::S;", {"src/lib.rs": "import"}),
        ({"src/lib.rs": "pub struct S;"}, "tests/t.rs", "fn f() { my_app::S; }", {"src/lib.rs": "import"}),
        (
            {"src/lib.rs": "mod a;", "src/b.rs": ""},
            "src/a.rs",
            "use crate::made; use std::fmt; use serde::X;",
            {"src/lib.rs": "import"},
        ),
    ],
)
def test_a_declaration_leads_to_its_file(
    project: Project, files: dict[str, str], importer: str, statement: str, expected: dict[str, str]
) -> None:
    project.write({"Cargo.toml": MANIFEST, **files, importer: statement + "\n"})
    assert {b: kind for (a, b), kind in project.edges().items() if a == importer} == expected
    assert project.unresolved() == []


def test_paths_follow_the_module_tree(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": "mod a;\nmod b;\npub mod c;\npub struct Top;\n",
            "src/a.rs": "pub mod deep;\npub struct A;\npub enum E { One }\n",
            "src/a/deep.rs": "use super::A;\nuse super::super::Top;\nuse self::i::I;\nmod i { pub struct I; }\n",
            "src/b.rs": "use crate::a::{self, E::One};\nfn f() { a::deep::g(); crate::c::h() }\n",
            "src/c.rs": "mod tests {\n    use super::*;\n    use super::super::b;\n}\n",
        }
    )
    edges = {pair: kind for pair, kind in project.edges().items() if pair[0] != "src/lib.rs"}
    assert edges == {
        ("src/a.rs", "src/a/deep.rs"): "import",
        ("src/a/deep.rs", "src/a.rs"): "import",
        ("src/a/deep.rs", "src/lib.rs"): "import",
        ("src/b.rs", "src/a.rs"): "import",
        ("src/b.rs", "src/a/deep.rs"): "import",
        ("src/b.rs", "src/c.rs"): "import",
        ("src/c.rs", "src/b.rs"): "import",
    }


def test_a_re_export_is_followed_to_the_definition_and_both_edges_are_kept(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": "pub mod face;\nmod shapes;\nmod make;\nmod user;\n",
            "src/face.rs": "pub use crate::shapes::*;\npub use crate::make::make as create;\n",
            "src/shapes.rs": "pub struct Circle;\n",
            "src/make.rs": "pub fn make() {}\n",
            "src/user.rs": "use crate::face::{Circle, create};\n",
        }
    )
    assert {(e.imported, e.kind) for e in project.graph().imports_of("src/user.rs")} == {
        ("src/face.rs", "import"),
        ("src/shapes.rs", "reexport"),
        ("src/make.rs", "reexport"),
    }


def test_names_that_a_glob_brings_lead_to_their_definitions(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": "pub mod prelude;\nmod shapes;\nmod other;\nmod user;\n",
            "src/prelude.rs": "pub use crate::shapes::Circle;\npub use crate::other::Unused;\n",
            "src/shapes.rs": "pub struct Circle;\n",
            "src/other.rs": "pub struct Unused;\n",
            "src/user.rs": "use crate::prelude::*;\nfn f() -> Circle { Circle }\n",
        }
    )
    assert {(e.imported, e.kind) for e in project.graph().imports_of("src/user.rs")} == {
        ("src/prelude.rs", "import"),
        ("src/shapes.rs", "reexport"),
    }


def test_re_exports_in_a_circle_end(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": "pub mod a;\npub mod b;\nmod user;\n",
            "src/a.rs": "pub use crate::b::*;\npub use crate::b::X;\npub struct Real;\n",
            "src/b.rs": "pub use crate::a::*;\npub use crate::a::X;\n",
            "src/user.rs": "use crate::b::{X, Real, Nothing};\n",
        }
    )
    assert {e.imported for e in project.graph().imports_of("src/user.rs")} == {"src/a.rs", "src/b.rs"}


def test_a_private_import_is_for_the_module_and_those_inside_it_alone(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": "mod a;\nmod b;\nmod def;\n",
            "src/def.rs": "pub struct D;\n",
            "src/a.rs": "use crate::def::D;\nmod child;\n",
            "src/a/child.rs": "use super::D;\n",
            "src/b.rs": "use crate::a::*;\nfn f(d: D) {}\n",
        }
    )
    found = project.edges()
    assert ("src/a/child.rs", "src/def.rs") in found
    assert ("src/b.rs", "src/def.rs") not in found


def test_workspace_members_know_each_other_by_the_names_their_manifests_give(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n[workspace.dependencies]\n'
            'core-lib = { path = "crates/core" }\nnick = { path = "crates/nick", package = "long-name" }\n',
            "crates/core/Cargo.toml": '[package]\nname = "core-lib"\nedition = "2021"\n[lib]\npath = "lib/it.rs"\n',
            "crates/core/lib/it.rs": "pub mod deep;\n",
            "crates/core/lib/deep.rs": "pub struct D;\n",
            "crates/nick/Cargo.toml": '[package]\nname = "long-name"\nedition = "2021"\n',
            "crates/nick/src/lib.rs": "pub fn f() {}\n",
            "crates/own/Cargo.toml": '[package]\nname = "own"\n[lib]\nname = "other_name"\n',
            "crates/own/src/lib.rs": "",
            "crates/app/Cargo.toml": '[package]\nname = "app"\nedition = "2021"\n[dependencies]\n'
            'core-lib.workspace = true\nnick = { workspace = true }\nserde = "1"\n'
            '[target."cfg(unix)".dev-dependencies]\nown = { path = "../own" }\n',
            "crates/app/src/main.rs": "use core_lib::deep::D;\nuse nick::f;\nuse other_name as o;\nuse serde::S;\n",
            "crates/alone/Cargo.toml": '[package]\nname = "alone"\nedition = "2021"\n',
            "crates/alone/src/lib.rs": "use core_lib::deep::D;\n",
        }
    )
    assert {b for a, b in project.edges() if "app" in a} == {
        "crates/core/lib/deep.rs",
        "crates/nick/src/lib.rs",
        "crates/own/src/lib.rs",
    }
    assert not [pair for pair in project.edges() if "alone" in pair[0]]
    assert project.unresolved() == []


def test_a_crate_re_exports_another_crate_of_the_workspace(project: Project) -> None:
    project.write(
        {
            "face/Cargo.toml": '[package]\nname = "face"\nedition = "2021"\n[dependencies]\n'
            'inner = { path = "../inner" }\n',
            "face/src/lib.rs": "pub use inner::*;\n",
            "face/tests/t.rs": "use face::Thing;\n",
            "inner/Cargo.toml": '[package]\nname = "inner"\nedition = "2021"\n',
            "inner/src/lib.rs": "mod thing;\npub use thing::Thing;\n",
            "inner/src/thing.rs": "pub struct Thing;\n",
        }
    )
    assert {(e.imported, e.kind) for e in project.graph().imports_of("face/tests/t.rs")} == {
        ("face/src/lib.rs", "import"),
        ("inner/src/thing.rs", "reexport"),
    }


def test_the_2015_edition_counts_from_the_root(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": '[package]\nname = "old"\n',
            "src/lib.rs": "mod a;\nmod b;\n",
            "src/a.rs": "use b::B;\n",
            "src/b.rs": "pub struct B;\n",
        }
    )
    assert ("src/a.rs", "src/b.rs") in project.edges()


def test_an_exported_macro_is_found_where_it_stands(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": "#[macro_use]\nmod rules;\nmod user;\n",
            "src/rules.rs": "#[macro_export]\nmacro_rules! mac { () => {} }\n",
            "src/user.rs": "fn f() { crate::mac!(); }\n",
        }
    )
    assert ("src/user.rs", "src/rules.rs") in project.edges()


def test_a_file_named_by_a_path_attribute_knows_its_parent(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": '#[path = "odd/place.rs"]\nmod x;\npub struct Top;\n',
            "src/odd/place.rs": "mod beside;\nuse super::Top;\n",
            "src/odd/beside.rs": "use super::super::Top;\n",
        }
    )
    assert {("src/odd/place.rs", "src/lib.rs"), ("src/odd/beside.rs", "src/lib.rs")} <= set(project.edges())


def test_modules_that_a_macro_declares_are_known_by_their_place(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "tests/all/main.rs": 'automod::dir!("tests/all");\nmod kit;\n',
            "tests/all/kit.rs": "pub fn k() {}\n",
            "tests/all/one.rs": "use super::kit;\nuse crate::kit::k;\n",
        }
    )
    assert ("tests/all/one.rs", "tests/all/kit.rs") in project.edges()
    assert project.unresolved() == []


def test_what_looks_local_and_is_not_there_is_listed_and_nothing_else(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": "mod gone;\nmod a;\nuse crate::lost::X;\nuse crate::a::made_by_macro;\nuse std::io;\n"
            'use serde::de::Y;\nfn f() -> io::Result<()> { a::nowhere::f(); }\ninclude!("none.rs");\n',
            "src/a.rs": "thing!();\n",
        }
    )
    assert project.unresolved() == [
        ("src/lib.rs", "mod gone"),
        ("src/lib.rs", "crate::lost"),
        ("src/lib.rs", "a::nowhere"),
        ("src/lib.rs", "none.rs"),
    ]


def test_a_manifest_that_is_no_toml_is_no_error(project: Project) -> None:
    project.write({"Cargo.toml": "[package\n", "src/lib.rs": "mod a;\n", "src/a.rs": "use crate::a;\n"})
    assert set(project.edges()) == {("src/lib.rs", "src/a.rs")}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/a.rs", True),
        ("src/x/tests/b.rs", True),
        ("src/tests.rs", True),
        ("src/parse_test.rs", True),
        ("benches/speed.rs", False),
        ("src/testing.rs", False),
    ],
)
def test_test_files_are_known_by_cargos_layout(path: str, expected: bool) -> None:
    assert is_test(path) is expected


@pytest.mark.parametrize(
    "source",
    [
        "mod a {" * 3000,
        "/*" * 200_000,
        "use " * 20_000,
        "quote! {" * 50_000,
        "(" * 20_000,
        'r#"' * 300_000,
        'br##" ' * 300_000,
        '"\\' * 300_000,
        "r#" * 300_000,
        "a::<" * 20_000,
    ],
)
def test_a_file_that_never_ends_what_it_begins_is_read_in_one_pass(source: str) -> None:
    assert read_facts("a.rs", f"use a::b;\n{source}".encode()).imports[0].module == "a"


def test_long_chains_and_thick_circles_of_re_exports_end(project: Project) -> None:
    names = [f"m{index}" for index in range(40)]
    globs = "".join(f"pub use crate::{name}::*;\n" for name in names)
    chain = {f"src/c{index}.rs": f"pub use crate::c{index + 1}::Far;\n" for index in range(300)}
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": "".join(f"pub mod {name};\n" for name in [*names, *(f"c{index}" for index in range(300))]),
            **{f"src/{name}.rs": globs for name in names},
            **chain,
            "src/m7.rs": globs + "pub struct Hidden;\n",
            "src/main.rs": "use my_app::m0::{Hidden, Nowhere};\nuse my_app::c0::Far;\n",
        }
    )
    assert {b for a, b in project.edges() if a == "src/main.rs"} == {"src/m0.rs", "src/m7.rs", "src/c0.rs"}
