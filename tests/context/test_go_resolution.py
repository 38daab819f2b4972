"""Go: where imports and the names of a package lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Project

MODULE = {"go.mod": "module example.com/m\n\ngo 1.22\n"}


def targets_of(project: Project, importer: str) -> set[str]:
    return {imported for source, imported in project.edges() if source == importer}


def unresolved_of(project: Project, importer: str) -> set[str]:
    return {name for path, name in project.unresolved() if path == importer}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('import "example.com/m/lib"\nvar _ = lib.A()', {"lib/a.go"}),
        ('import "example.com/m/lib"\nvar _ = lib.A() + lib.B', {"lib/a.go", "lib/b.go"}),
        ('import other "example.com/m/lib"\nvar _ = other.B', {"lib/b.go"}),
        ('import . "example.com/m/lib"\nvar _ = B', {"lib/b.go"}),
        ('import _ "example.com/m/lib"', {"lib/b.go"}),
        ('import _ "example.com/m/quiet"', {"quiet/a.go"}),
        ('import (\n"fmt"\n"C"\n"github.com/x/lib"\n)\nvar _ = lib.A(fmt.B, C.A)', set()),
        ('import "example.com/m/lib"\nfunc f(lib int) { lib.A() }', set()),
        ('import "example.com/m/lib"\nfunc f() { lib := lib.A(); lib.B() }', {"lib/a.go"}),
        ('import "example.com/m/odd"\nvar _ = strange.Name', {"odd/a.go"}),
        ('import "example.com/m/lib/v2"\nvar _ = lib.C', {"lib/v2/c.go"}),
        ('import "example.com/m/internal/deep"\nvar _ = deep.D', {"internal/deep/d.go"}),
        ('import "./lib"\nvar _ = lib.A', {"lib/a.go"}),
        ("var _ = shared()", {"shared.go"}),
        ("func f(shared int) int { return shared }", set()),
        ("func shared() {}\nvar _ = shared()", set()),
        ("var _ = x.shared", set()),
        ("var _ T", {"shared.go"}),
        ("func (t *T) Method() {}", {"shared.go"}),
        ("var _ = helper()", set()),
        ("var _ = perPlatform()", {"at_linux.go", "at_windows.go", "tagged.go"}),
        ("var _ = min(1, 2)", {"shared.go"}),
    ],
)
def test_a_name_leads_to_the_files_that_define_it(project: Project, source: str, expected: set[str]) -> None:
    project.write(
        {
            **MODULE,
            "lib/a.go": "package lib\n\nfunc A() {}\n",
            "lib/b.go": "package lib\n\nconst B = 1\n\nfunc init() {}\n",
            "lib/a_test.go": "package lib\n\nfunc A() {}\n",
            "lib/tool.go": "//go:build ignore\n\npackage main\n\nfunc A() {}\n\nfunc init() {}\n",
            "quiet/a.go": "package quiet\n",
            "quiet/b.go": "package quiet\n",
            "odd/a.go": "package strange\n\nvar Name = 1\n",
            "lib/v2/c.go": "package lib\n\ntype C int\n",
            "internal/deep/d.go": "package deep\n\ntype D int\n",
            "shared.go": "package main\n\nfunc shared() {}\n\ntype T struct{}\n\nfunc min(a, b int) int { return a }\n",
            "helper_test.go": "package main\n\nfunc helper() {}\n",
            "at_linux.go": "package main\n\nfunc perPlatform() {}\n",
            "at_windows.go": "package main\n\nfunc perPlatform() {}\n",
            "tagged.go": "//go:build plan9\n\npackage main\n\nfunc perPlatform() {}\n",
            "main.go": f"package main\n\n{source}\n",
        }
    )
    assert targets_of(project, "main.go") == expected


def test_tests_see_what_their_package_shows_them(project: Project) -> None:
    project.write(
        {
            **MODULE,
            "lib/lib.go": "package lib\n\nfunc Lib() {}\n\nfunc inner() {}\n",
            "lib/export_test.go": "package lib\n\nvar Inner = inner\n",
            "lib/in_test.go": "package lib\n\nvar _ = inner\nvar _ = Inner\n",
            "lib/out_test.go": 'package lib_test\nimport "example.com/m/lib"\nvar _, _, _ = lib.Lib, lib.Inner, help\n',
            "lib/help_test.go": "package lib_test\n\nvar help, inner = 1, 2\n",
            "far/far_test.go": 'package far\n\nimport "example.com/m/lib"\n\nvar _, _ = lib.Lib, lib.Inner\n',
        }
    )
    assert project.edges().keys() == {
        ("lib/export_test.go", "lib/lib.go"),
        ("lib/in_test.go", "lib/lib.go"),
        ("lib/in_test.go", "lib/export_test.go"),
        ("lib/out_test.go", "lib/lib.go"),
        ("lib/out_test.go", "lib/export_test.go"),
        ("lib/out_test.go", "lib/help_test.go"),
        ("far/far_test.go", "lib/lib.go"),
    }
    assert project.unresolved() == [("far/far_test.go", "example.com/m/lib.Inner")]
    assert project.graph().tests_covering(["lib/lib.go"])[0].endswith("_test.go")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('import "example.com/m/gone"\nvar _ = gone.X', {"example.com/m/gone"}),
        ('import _ "example.com/m/gone"', {"example.com/m/gone"}),
        ('import "example.com/m/onlytests"', {"example.com/m/onlytests"}),
        ('import "./gone"', {"./gone"}),
        ('import "example.com/m/lib"\nvar _ = lib.Gone', {"example.com/m/lib.Gone"}),
        ("var _ = gone", {"gone"}),
        ('import . "github.com/x/dsl"\nvar _ = Describe(gone)', {"gone"}),
        ('import "example.com/m/elsewhere/sub"\nvar _ = sub.X', set()),
        ('import "example.com/mm"\nimport "gone"\nimport "example.com"', set()),
        ('import "github.com/x/go-tty"\nvar _ = tty.Open()', set()),
        ("var _ = len(string(nil))", set()),
        ('import "example.com/m/unread"\nvar _ = unread.X', set()),
    ],
)
def test_what_looks_local_and_is_not_there_is_missing(project: Project, source: str, expected: set[str]) -> None:
    project.write(
        {
            "go.mod": "module example.com/m\n\nrequire example.com/m/elsewhere v1.0.0 // indirect\n",
            "lib/a.go": "package lib\n",
            "unread/a.go": "package unread\n",
            "unread/b.go": b"package unread\0\nvar X = 1\n",
            "onlytests/a_test.go": "package onlytests\n",
            "main.go": f"package main\n\n{source}\n",
        }
    )
    assert unresolved_of(project, "main.go") == expected


USE_LIB = 'package main\n\nimport "example.com/lib/sub"\n\nvar _ = sub.X\n'
SUB = "package sub\n\nvar X = 1\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"app/go.mod": "module app\n", "lib/go.mod": "module example.com/lib\n", "lib/sub/x.go": SUB}, "lib/sub/x.go"),
        (
            {
                "app/go.mod": "module app\nreplace (\n\texample.com/lib v1.2.3 => ../fork/\n)\n",
                "fork/go.mod": "module example.com/renamed\n",
                "fork/sub/x.go": SUB,
                "lib/go.mod": "module example.com/lib\n",
                "lib/sub/x.go": SUB,
            },
            "fork/sub/x.go",
        ),
        (
            {
                "go.work": "go 1.22\n\nuse (\n\t./app\n\t./used // this one\n)\n",
                "app/go.mod": "module app\n",
                "app/near/go.mod": "module example.com/lib\n",
                "app/near/sub/x.go": SUB,
                "used/go.mod": 'module "example.com/lib"\n',
                "used/sub/x.go": SUB,
            },
            "used/sub/x.go",
        ),
        (
            {
                "go.work": "use ./app\nreplace example.com/lib => ./local\n",
                "app/go.mod": "module app\n",
                "local/go.mod": "module example.com/renamed\n",
                "local/sub/x.go": SUB,
            },
            "local/sub/x.go",
        ),
        (
            {
                "app/go.mod": "module app\nrequire example.com/lib v1.0.0\n",
                "app/vendor/example.com/lib/sub/x.go": SUB,
                "lib/go.mod": "module example.com/lib\n",
                "lib/sub/x.go": SUB,
            },
            "app/vendor/example.com/lib/sub/x.go",
        ),
        (
            {
                "go.mod": "module example.com/lib\n",
                "sub/y.go": SUB,
                "sub/go.mod": "module example.com/lib/sub\n",
                "app/go.mod": "module app\n",
            },
            "sub/y.go",
        ),
        (
            {
                "one/go.mod": "module example.com/lib\n",
                "one/sub/x.go": SUB,
                "app/testdata/go.mod": "module example.com/lib\n",
                "app/testdata/sub/x.go": SUB,
                "app/go.mod": "module app\nreplace example.com/lib => ../one\n",
            },
            "one/sub/x.go",
        ),
        (
            {
                "app/go.mod": "module app\n",
                "app/near/go.mod": "module example.com/lib\n",
                "app/near/sub/x.go": SUB,
                "a/go.mod": "module example.com/lib\n",
                "a/sub/x.go": SUB,
            },
            "app/near/sub/x.go",
        ),
        ({"app/src/example.com/lib/sub/x.go": SUB}, None),
    ],
    ids=[
        "any",
        "replace",
        "work use",
        "work replace",
        "vendor",
        "nested",
        "replace of one of two",
        "nearest",
        "other GOPATH",
    ],
)
def test_modules_stand_where_their_configuration_says(
    project: Project, files: dict[str, str], expected: str | None
) -> None:
    project.write({**files, "app/main.go": USE_LIB})
    assert targets_of(project, "app/main.go") == ({expected} if expected else set())
    assert unresolved_of(project, "app/main.go") == set()


def test_a_module_without_a_host_in_its_path_is_known_only_where_it_is_used(project: Project) -> None:
    use = 'package p\n\nimport "plain/sub"\n\nvar _ = sub.X\n'
    project.write(
        {
            "plain/go.mod": "module plain\n",
            "plain/sub/x.go": SUB,
            "plain/inside.go": use,
            "go.work": "use (\n\t./plain\n\t./user\n)\n",
            "user/go.mod": "module user\n",
            "user/user.go": use,
            "other/go.work": "use .\n",
            "other/go.mod": "module other\n",
            "other/other.go": use,
        }
    )
    assert project.edges().keys() == {("plain/inside.go", "plain/sub/x.go"), ("user/user.go", "plain/sub/x.go")}
    assert project.unresolved() == []


def test_packages_of_a_gopath_lead_to_one_another(project: Project) -> None:
    project.write({"src/app/main.go": USE_LIB, "src/example.com/lib/sub/x.go": SUB})
    assert targets_of(project, "src/app/main.go") == {"src/example.com/lib/sub/x.go"}


def test_a_module_ends_where_another_begins(project: Project) -> None:
    project.write(
        {
            "go.mod": "module example.com/lib\n",
            "sub/go.mod": "module example.com/another\n",
            "sub/x.go": SUB,
            "main.go": USE_LIB,
        }
    )
    assert targets_of(project, "main.go") == set()
    assert unresolved_of(project, "main.go") == {"example.com/lib/sub"}


def test_the_standard_librarys_own_repository_finds_itself(project: Project) -> None:
    project.write(
        {
            "src/go.mod": "module std\n",
            "src/strings/s.go": "package strings\n\nfunc Cut() {}\n",
            "src/cmd/go.mod": "module cmd\n",
            "src/cmd/go/main.go": 'package main\nimport "cmd/base"\nimport "strings"\nvar _, _ = base.X, strings.Cut\n',
            "src/cmd/base/b.go": "package base\n\nvar X = 1\n",
        }
    )
    assert targets_of(project, "src/cmd/go/main.go") == {"src/strings/s.go", "src/cmd/base/b.go"}


def test_a_name_defined_behind_a_symbolic_link_leads_to_the_file_itself(project: Project) -> None:
    project.write(
        {**MODULE, "real/x.go": SUB, "main.go": 'package main\n\nimport "example.com/m/sub"\n\nvar _ = sub.X\n'}
    )
    (project.root / "sub").mkdir()
    (project.root / "sub/x.go").symlink_to("../real/x.go")
    project.commit({})
    assert targets_of(project, "main.go") == {"real/x.go"}


@pytest.mark.parametrize(
    "config", ["module", "module (", "replace a =>", "replace", "use", "\xff\0", 'module ""', "=> =>"]
)
def test_a_damaged_configuration_costs_only_what_it_said(project: Project, config: str) -> None:
    project.write(
        {"go.mod": config, "go.work": config, "a.go": "package p\n\nvar _ = b\n", "b.go": "package p\n\nvar b = 1\n"}
    )
    assert targets_of(project, "a.go") == {"b.go"}


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({"lib/a.go": "package lib\n", "lib/b.go": "package lib\n\nvar X = 1\n"}, "lib/b.go"),
        ({"lib/b.go": "package lib\n\nvar X = 1\n", "lib/a.go": "package other\n"}, "lib/b.go"),
        (dict.fromkeys(("lib/a.go", "lib/b.go", "lib/inside.go"), "package main\n\nvar X = 1\n"), "lib/a.go"),
        (
            {
                "go.mod": "module example.com/m\nreplace example.com/m/lib => ./new\n",
                "new/go.mod": "module new\n",
                "new/c.go": "package lib\n\nvar X = 1\n",
            },
            "new/c.go",
        ),
    ],
)
def test_an_edit_of_a_package_moves_the_edges_of_all_that_use_it(
    project: Project, tmp_path: Path, edits: dict[str, str], expected: str
) -> None:
    use = 'package {0}\n\nimport "example.com/m/lib"\n\nvar _ = lib.X\n'
    project.write(
        {
            **MODULE,
            "lib/a.go": "package lib\n\nvar X = 1\n",
            "lib/b.go": "package lib\n",
            "lib/inside.go": "package lib\n\nvar _ = X\n",
            "one/one.go": use.format("one"),
            "two/two.go": use.format("two"),
        }
    )
    project.codebase(cache=tmp_path / "cache")
    project.write(edits)
    after = project.codebase(cache=tmp_path / "cache").graph
    assert after.as_json() == project.codebase(cache=tmp_path / "fresh").graph.as_json()
    assert expected in {edge.imported for edge in after.imports_of("one/one.go")}
    assert after.imports_of("one/one.go")[0].imported == after.imports_of("two/two.go")[0].imported
