"""Python: what files say, and where their imports lead."""

from __future__ import annotations

import pytest
from switchyard_context.reading import read_facts

from .conftest import Project


def test_definitions_carry_their_decorators_headers_and_bodies() -> None:
    facts = read_facts(
        "a.py",
        b"LIMIT = 3\n\n@dec\nclass C(\n    Base,\n):\n    def m(self): return 1\n    def n(\n        self,\n    ):\n"
        b"        def inner(): pass\n        return 2\n\nasync def f(): pass\n",
    )
    found = [(d.name, d.kind, d.first_line, d.header_line, d.last_line) for d in facts.definitions]
    assert found == [
        ("LIMIT", "constant", 1, 1, 1),
        ("C", "class", 3, 6, 12),
        ("C.m", "method", 7, 7, 7),
        ("C.n", "method", 8, 10, 12),
        ("f", "function", 14, 14, 14),
    ]


def test_a_file_with_a_syntax_error_still_says_what_it_imports() -> None:
    facts = read_facts("a.py", b"import os\nfrom . import b\ndef broken(:\n    pass\nimport c\n")
    assert {"os", ".", "c"} <= {item.module for item in facts.imports}


@pytest.mark.parametrize(
    "plain",
    [
        "x = 1",
        "'import no'",
        '"""\nimport no\ndef no(): pass\n"""',
        "x = r'\\\\'; y = ')'",
        "call(\n  '(',  # )\n  [')', {1: '}'}],\n)",
        "x = f'{a[\"b\"]}' '''\nimport no'''",
        "x = 1 + \\\n  2",
        "x = " + "(" * 30 + ")" * 30,
        "@mark(\n  [1, 2],\n)\ndef other(\n  a='):',\n):\n    '''\n    import no\n    '''\n    return a",
        "if x: pass\nelse: pass",
        "match x:\n    case 1: pass",
        "def short(): return ')'\n# (",
        "async def late():\n    async with a: pass\n\n    # end\n",
        "x = 1\r\ny = (2,\r\n  3)\r",
        "for x in y:\n    z = '''\n'''\n\n    z = 1",
    ],
)
def test_what_stands_beside_an_import_or_a_definition_neither_hides_nor_moves_it(plain: str) -> None:
    inner = "\n".join("    " + line for line in plain.split("\n"))
    text = f"import a\n{plain}\nclass C:\n{inner}\n    def m(self):\n        return 1\n\n# end\nimport b\n"
    facts = read_facts("a.py", text.encode())
    lines = plain.count("\n") + 1
    assert [(item.module, item.line) for item in facts.imports] == [("a", 1), ("b", 7 + 2 * lines)]
    found = {(d.name, d.first_line, d.last_line) for d in facts.definitions}
    assert {("C", 2 + lines, 4 + 2 * lines), ("C.m", 3 + 2 * lines, 4 + 2 * lines)} <= found
    assert not any(d.name.endswith("no") for d in facts.definitions)


@pytest.mark.parametrize(
    "statement",
    [
        "x = 1; import late",
        "if x: import late",
        "'''doc'''; from late import y",
        "try:\n        import \\\n            late\n    except E: pass",
        "class K:\n        import late",
        "def g():\n        x = (1,\n)\n        import late",
        "return import_module('late')",
        "x = {\n  'a': __import__('late')}",
    ],
)
def test_an_import_is_found_wherever_it_hides(statement: str) -> None:
    body = f"    a = 1\n    {statement}\n    b = 2\n"
    for source in (f"def f():\n{body}", f"class C:\n{body}", f"class C:\n  def f():\n    pass\n{body}"):
        assert [item.module for item in read_facts("a.py", source.encode()).imports] == ["late"]


@pytest.mark.parametrize(
    ("call", "module"),
    [
        ("import_module('.late', package=__name__)", ".late"),
        ("import_module('.late', __package__)", ".late"),
        ("import_module('..late', 'a.b')", "a.late"),
        ("import_module('.late', package='a.b')", "a.b.late"),
        ("import_module(package='a', name='.late')", "a.late"),
        ("importlib.import_module(name='late')", "late"),
        ("import_module('...late', 'a.b')", None),
        ("import_module(f'{x}.late')", None),
        ("import_module('late' + x)", None),
        ("other('late')  # import_module", None),
    ],
)
def test_a_literal_name_is_imported_at_run_time(call: str, module: str | None) -> None:
    facts = read_facts("a.py", f"def f():\n    {call}\n".encode())
    assert [(item.module, item.kind) for item in facts.imports] == ([(module, "dynamic")] if module else [])


@pytest.mark.parametrize(
    ("condition", "kinds"),
    [
        ("TYPE_CHECKING", ["type", "import"]),
        ("typing.TYPE_CHECKING", ["type", "import"]),
        ("TYPE_CHECKING and x", ["type", "import"]),
        ("(TYPE_CHECKING)", ["type", "import"]),
        ("not TYPE_CHECKING", ["import", "type"]),
        ("MYPY", ["type", "import"]),
        ("TYPE_CHECKING or x", ["import", "import"]),
        ("False", ["import", "import"]),
        ("NOT_TYPE_CHECKING", ["import", "import"]),
    ],
)
def test_what_only_a_type_checker_reads_is_a_type_edge(condition: str, kinds: list[str]) -> None:
    for word in ("if", "if x:\n    pass\nelif"):
        source = f"{word} {condition}:\n    import a\nelse:\n    import b\nimport c\n"
        assert [item.kind for item in read_facts("a.py", source.encode()).imports] == [*kinds, "import"]


@pytest.mark.parametrize(
    ("files", "importer", "statement", "expected"),
    [
        ({"pkg/__init__.py": "", "pkg/a.py": ""}, "main.py", "import pkg.a", {"pkg/a.py": "import"}),
        ({"pkg/__init__.py": "", "pkg/a.py": ""}, "main.py", "from pkg import a", {"pkg/a.py": "import"}),
        ({"pkg/__init__.py": "a = 1"}, "main.py", "from pkg import a", {"pkg/__init__.py": "import"}),
        ({"pkg/__init__.py": "", "pkg/a.py": ""}, "main.py", "from pkg.a import *", {"pkg/a.py": "import"}),
        ({"pkg/__init__.py": "", "pkg/a.py": ""}, "pkg/b.py", "from . import a", {"pkg/a.py": "import"}),
        ({"pkg/__init__.py": "", "pkg/a.py": ""}, "pkg/sub/b.py", "from ..a import x", {"pkg/a.py": "import"}),
        (
            {"space/a.py": "", "space/deep/b.py": ""},
            "main.py",
            "from space.deep import b",
            {"space/deep/b.py": "import"},
        ),
        ({"space/a.py": ""}, "space/c.py", "from . import a", {"space/a.py": "import"}),
        ({"src/pkg/__init__.py": ""}, "tests/test_a.py", "import pkg", {"src/pkg/__init__.py": "import"}),
        ({"src/mod.py": "", "pyproject.toml": ""}, "tests/test_a.py", "import mod", {"src/mod.py": "import"}),
        ({"scripts/helper.py": ""}, "scripts/run.py", "import helper", {"scripts/helper.py": "import"}),
        ({"json.py": ""}, "pkg/sub/a.py", "import json.decoder", {}),
        ({"testing/io/t.py": ""}, "testing/a.py", "from io import StringIO", {}),
        (
            {"pkg/__init__.py": "", "pkg/a.py": ""},
            "main.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg import a",
            {"pkg/a.py": "type"},
        ),
        (
            {"pkg/__init__.py": "", "pkg/a.py": ""},
            "main.py",
            "import importlib\nimportlib.import_module('pkg.a')\nimportlib.import_module(name)",
            {"pkg/a.py": "dynamic"},
        ),
        (
            {"fast.py": "", "slow.py": ""},
            "main.py",
            "try:\n    import fast\nexcept ImportError:\n    import slow",
            {"fast.py": "import", "slow.py": "import"},
        ),
        ({"a.py": ""}, "main.py", "def late():\n    import a", {"a.py": "import"}),
        ({"stubs.pyi": ""}, "main.py", "import stubs", {"stubs.pyi": "import"}),
    ],
)
def test_an_import_leads_to_its_file(
    project: Project, files: dict[str, str], importer: str, statement: str, expected: dict[str, str]
) -> None:
    project.write({**files, importer: statement + "\n"})
    found = {imported: kind for (source, imported), kind in project.edges().items() if source == importer}
    assert found == expected
    assert project.unresolved() == []


def test_a_re_export_is_followed_to_the_definition_and_both_edges_are_kept(project: Project) -> None:
    project.write(
        {
            "pkg/__init__.py": "from .api import Thing as Public\nfrom .more import *\n",
            "pkg/api.py": "from .deep.impl import Thing\n",
            "pkg/deep/impl.py": "class Thing: pass\n",
            "pkg/more.py": "def helper(): pass\n",
            "main.py": "from pkg import Public, helper\n",
        }
    )
    edges = {(e.imported, e.kind) for e in project.graph().imports_of("main.py")}
    assert edges == {
        ("pkg/__init__.py", "import"),
        ("pkg/deep/impl.py", "reexport"),
        ("pkg/more.py", "reexport"),
    }


def test_a_circle_of_re_exports_ends(project: Project) -> None:
    project.write(
        {
            "a/__init__.py": "from b import x\n",
            "b/__init__.py": "from a import x\n",
            "main.py": "from a import x\n",
        }
    )
    assert ("main.py", "a/__init__.py") in project.edges()


def test_of_two_packages_with_one_name_the_nearer_is_meant(project: Project) -> None:
    files = {}
    for service in ("rates", "orders"):
        files[f"services/{service}/pyproject.toml"] = ""
        files[f"services/{service}/src/app/__init__.py"] = ""
        files[f"services/{service}/src/app/db.py"] = ""
        files[f"services/{service}/tests/test_db.py"] = "from app import db\n"
    project.write(files)
    assert {pair for pair in project.edges() if "tests" in pair[0]} == {
        ("services/rates/tests/test_db.py", "services/rates/src/app/db.py"),
        ("services/orders/tests/test_db.py", "services/orders/src/app/db.py"),
    }


def test_declared_source_roots_are_used(project: Project) -> None:
    project.write(
        {
            "pyproject.toml": '[tool.setuptools.package-dir]\n"" = "python"\n',
            "python/alone.py": "",
            "other/setup.cfg": "[options]\npackage_dir =\n    = code\n",
            "other/code/second.py": "",
            "old/setup.py": "setup(package_dir={'': 'lib'})\n",
            "old/lib/third.py": "",
            "wheel/pyproject.toml": '[tool.hatch.build.targets.wheel]\npackages = ["deep/fourth"]\n',
            "wheel/deep/fourth/mod.py": "",
            "main.py": "import alone, second, third\nfrom fourth import mod\n",
        }
    )
    assert {pair[1] for pair in project.edges()} == {
        "python/alone.py", "other/code/second.py", "old/lib/third.py", "wheel/deep/fourth/mod.py",
    }  # fmt: skip


def test_what_looks_local_and_is_not_there_is_listed_and_nothing_else(project: Project) -> None:
    project.write(
        {
            "pkg/__init__.py": "",
            "plain.py": "",
            "pkg/a.py": "import plain.inner\nimport pkg.gone\nfrom . import lost\nfrom .nowhere import x\n"
            "import numpy, os.path\nfrom ...above import y\nfrom pkg import attribute\n",
        }
    )
    assert project.unresolved() == [
        ("pkg/a.py", "plain.inner"),
        ("pkg/a.py", "pkg.gone"),
        ("pkg/a.py", ".lost"),
        ("pkg/a.py", ".nowhere"),
        ("pkg/a.py", "...above"),
        ("pkg/a.py", "pkg.attribute"),
    ]


@pytest.mark.parametrize("init", ["from .inner import *\n", "def __getattr__(name): ...\n", "import sys\n", "x = 1\n"])
def test_a_package_that_may_bind_a_name_unseen_is_believed(project: Project, init: str) -> None:
    project.write({"pkg/__init__.py": init, "pkg/inner.py": "", "main.py": "from pkg import name, __path__\n"})
    assert project.unresolved() == []


def test_the_members_of_a_workspace_import_one_another(project: Project) -> None:
    project.write(
        {
            "pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n',
            "packages/one/pyproject.toml": '[tool.poetry]\npackages = [{include = "first", from = "code"}]\n',
            "packages/one/code/first/deep/mod.py": "",
            "packages/two/pyproject.toml": "[project]\nname = 'two'\n",
            "packages/two/src/second/__init__.py": "from first.deep import mod\n",
            "packages/two/tests/test_it.py": "import second\nimportlib.import_module('first.deep.mod')\n",
        }
    )
    assert project.edges() == {
        ("packages/two/src/second/__init__.py", "packages/one/code/first/deep/mod.py"): "import",
        ("packages/two/tests/test_it.py", "packages/two/src/second/__init__.py"): "import",
        ("packages/two/tests/test_it.py", "packages/one/code/first/deep/mod.py"): "dynamic",
    }


def test_a_package_inside_a_sample_is_not_importable_from_elsewhere(project: Project) -> None:
    project.write({"tests/samples/yaml/__init__.py": "", "pkg/__init__.py": "", "pkg/a.py": "import yaml\n"})
    assert project.edges() == {}
    assert project.unresolved() == []


def test_a_linked_module_is_the_file_behind_the_link(project: Project) -> None:
    project.write({"shared/real.py": "", "app/main.py": "import alias\n"})
    (project.root / "app/alias.py").symlink_to("../shared/real.py")
    assert project.edges() == {("app/main.py", "shared/real.py"): "import"}
