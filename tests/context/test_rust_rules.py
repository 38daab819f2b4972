"""Rust's finer rules of names and packages, each with an edge that is there because of it or is not."""

from __future__ import annotations

import pytest
from switchyard_context.reading import read_facts

from .conftest import Project

MANIFEST = '[package]\nname = "my-app"\nedition = "2021"\n'
LOW = {"low/Cargo.toml": '[package]\nname = "low"\nedition = "2021"\n', "low/src/lib.rs": "pub struct L;\n"}
X = {"src/x.rs": "pub struct X;\n"}

RULES: dict[str, tuple[dict[str, str], tuple[str, str], bool]] = {
    "what a function imports is its own": (
        {**X, "src/lib.rs": "mod x;\nmod user;\nfn f() { use crate::x::X; }\nfn g() { self::X; }\n"}
        | {"src/user.rs": "use super::X;\n"},
        ("src/user.rs", "src/x.rs"),
        False,
    ),
    "a definition hides what a glob brings": (
        {**X, "src/lib.rs": "mod x;\nmod y;\n", "src/y.rs": "pub use crate::x::*;\npub struct X;\n"}
        | {"src/main.rs": "use my_app::y::X;\n"},
        ("src/main.rs", "src/x.rs"),
        False,
    ),
    "a path that begins with :: names a crate, whatever modules are called": (
        LOW
        | {"Cargo.toml": MANIFEST + '[dependencies]\nlow = { path = "low" }\n', "src/low.rs": ""}
        | {"src/lib.rs": "mod low;\nuse ::low::L;\n"},
        ("src/lib.rs", "low/src/lib.rs"),
        True,
    ),
    "a name bound to a foreign crate is no crate of the tree": (
        LOW
        | {"Cargo.toml": MANIFEST + '[dependencies]\nlow = { path = "low" }\n'}
        | {"src/lib.rs": "use foreign::thing as low;\nfn f() { low::L; }\n"},
        ("src/lib.rs", "low/src/lib.rs"),
        False,
    ),
    "a crate can name itself": (
        {"src/lib.rs": "extern crate self as me;\nmod user;\nmod x;\n", **X, "src/user.rs": "use me::x::X;\n"},
        ("src/user.rs", "src/x.rs"),
        True,
    ),
    "a crate renamed at the root is known to all of the crate": (
        LOW
        | {"Cargo.toml": MANIFEST + '[dependencies]\nlow = { path = "low" }\n'}
        | {"src/lib.rs": "extern crate low as l;\nmod user;\n", "src/user.rs": "use l::L;\n"},
        ("src/user.rs", "low/src/lib.rs"),
        True,
    ),
    "a patch of the workspace stands for a published crate": (
        LOW
        | {
            "Cargo.toml": MANIFEST
            + '[dependencies]\nlow = "1"\n[patch.crates-io]\nlow = { path = "low" }\n[workspace]\n'
        }
        | {"src/lib.rs": "use low::L;\n"},
        ("src/lib.rs", "low/src/lib.rs"),
        True,
    ),
    "a program begins where its target says": (
        {"Cargo.toml": MANIFEST + '[[bin]]\nname = "p"\npath = "src/p/start.rs"\n', "src/p/x.rs": "pub struct X;\n"}
        | {"src/lib.rs": '#[path = "p/start.rs"]\nmod p;\n', "src/p/start.rs": "mod x;\nuse crate::x::X;\n"}
        | {"src/p/start/x.rs": "", "src/main.rs": ""},
        ("src/p/start.rs", "src/p/x.rs"),
        True,
    ),
    "a folder of tests that cargo does not look through begins no crate": (
        {"Cargo.toml": MANIFEST.replace("[package]", "[package]\nautotests = false"), "src/lib.rs": ""}
        | {"tests/a.rs": "mod b;\n", "tests/b.rs": "", "tests/a/b.rs": ""},
        ("tests/a.rs", "tests/a/b.rs"),
        True,
    ),
    "a crate's first file stays one where another declares it": (
        {"src/lib.rs": "mod x;\nmod y;\n", "src/main.rs": "mod lib;\n", "src/y.rs": ""}
        | {"src/x.rs": "use crate::y::Y;\n"},
        ("src/x.rs", "src/y.rs"),
        True,
    ),
    "a dependency under another name has no other": (
        LOW
        | {"Cargo.toml": MANIFEST + '[dependencies]\nl = { path = "low", package = "low" }\n'}
        | {"src/lib.rs": "use low::L;\n"},
        ("src/lib.rs", "low/src/lib.rs"),
        False,
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_names_holds(project: Project, rule: str) -> None:
    files, edge, expected = RULES[rule]
    project.write({"Cargo.toml": MANIFEST, **files})
    assert (edge in project.edges()) is expected


def test_a_manifest_names_the_workspace_that_it_belongs_to(project: Project) -> None:
    project.write(
        {
            **LOW,
            "app/Cargo.toml": '[package]\nname = "app"\nworkspace = "../ws"\n[dependencies]\nlow.workspace = true\n',
            "app/src/lib.rs": "use low::L;\n",
            "ws/Cargo.toml": '[workspace]\n[workspace.dependencies]\nlow = { path = "../low" }\n',
        }
    )
    assert ("app/src/lib.rs", "low/src/lib.rs") in project.edges()


def test_crates_renamed_to_one_another_are_no_error(project: Project) -> None:
    project.write(
        {
            "Cargo.toml": MANIFEST,
            "src/lib.rs": "extern crate a as b;\nextern crate b as a;\nuse a::X;\nmod x;\n",
            "src/x.rs": "use b::Y;\n",
        }
    )
    assert set(project.edges()) == {("src/lib.rs", "src/x.rs")}


def test_how_far_a_chain_is_followed_does_not_hang_on_what_was_asked_before(project: Project) -> None:
    links = {f"src/c{index:02}.rs": f"pub use crate::c{index + 1:02}::Far;\n" for index in range(70)}
    declared = "".join(f"pub mod c{index:02};\n" for index in range(71))
    files = {"Cargo.toml": MANIFEST, "src/lib.rs": declared, "src/c70.rs": "pub struct Far;\n", **links}
    project.write(files | {"src/c00.rs": "use crate::c01::Far;\n"})
    first = {b for a, b in project.edges() if a == "src/c00.rs"}
    project.write({"benches/a.rs": "".join(f"use my_app::c{index:02}::Far;\n" for index in range(70, 0, -1))})
    assert {b for a, b in project.edges() if a == "src/c00.rs"} == first


def test_a_module_behind_a_symbolic_link_is_the_file_it_leads_to(project: Project) -> None:
    project.write({"Cargo.toml": MANIFEST, "src/lib.rs": "mod x;\n", "shared/x.rs": "pub struct X;\n"})
    (project.root / "src" / "x.rs").symlink_to("../shared/x.rs")
    assert set(project.edges()) == {("src/lib.rs", "shared/x.rs")}


def test_a_path_through_a_function_leads_nowhere(project: Project) -> None:
    project.write({"Cargo.toml": MANIFEST, "src/lib.rs": "fn f() {}\nmod user;\n", "src/user.rs": "use crate::f::X;\n"})
    assert project.unresolved() == [("src/user.rs", "crate::f")]


def test_a_path_through_a_module_of_foreign_names_is_not_missing(project: Project) -> None:
    lib = "mod a;\nmod user;\n"
    project.write({"Cargo.toml": MANIFEST, "src/lib.rs": lib, "src/a.rs": "pub use foreign::*;\n"})
    project.write({"src/user.rs": "use crate::a::theirs::X;\n"})
    assert ("src/user.rs", "src/a.rs") in project.edges()
    assert project.unresolved() == []


def test_what_a_macro_imports_is_for_its_user_and_what_a_function_re_exports_for_nobody() -> None:
    facts = read_facts("a.rs", b"macro_rules! m { () => { use crate::a::X; } }\nfn f() { pub use crate::b::Y; }\n")
    assert [(item.module, item.kind) for item in facts.imports] == [("crate::b", "import")]
