"""TypeScript and JavaScript: what files say, and where their imports lead."""

from __future__ import annotations

import json

import pytest
from switchyard_context.reading import read_facts

from .conftest import Project


def test_definitions_are_found_with_their_export_keywords_and_overloads() -> None:
    facts = read_facts(
        "a.ts",
        b"export const f = async (\n  a: number,\n) => {\n  const inner = 1;\n};\n"
        b"export default class K {\n  m(): void {}\n}\ninterface I {\n  a: string;\n}\n"
        b"export function g(a: string): void;\nexport function g(a: any) {\n  return a;\n}\n"
        b"namespace N {\n  export const z = 1;\n}\n",
    )
    found = [(d.name, d.kind, d.first_line, d.header_line, d.last_line) for d in facts.definitions]
    assert found == [
        ("f", "function", 1, 3, 5),
        ("K", "class", 6, 6, 8),
        ("K.m", "method", 7, 7, 7),
        ("I", "type", 9, 9, 11),
        ("g", "function", 12, 13, 15),
        ("N", "module", 16, 16, 18),
        ("N.z", "constant", 17, 17, 17),
    ]


@pytest.mark.parametrize(("name", "middle"), [("a.tsx", b"const a = <B c={1}>t</B>;"), ("a.ts", b"const a = <T>b;")])
def test_jsx_and_type_assertions_each_have_their_grammar(name: str, middle: bytes) -> None:
    facts = read_facts(name, b"import './x';\n" + middle + b"\nimport './y';\n")
    assert [item.module for item in facts.imports] == ["./x", "./y"]


@pytest.mark.parametrize(
    ("files", "statement", "expected"),
    [
        ({"a.ts": ""}, "import x from './a'", {"a.ts": "import"}),
        ({"a.tsx": ""}, "import './a'", {"a.tsx": "import"}),
        ({"a.ts": "", "a.js": ""}, "import './a.js'", {"a.ts": "import"}),
        ({"a.mts": ""}, "import './a.mjs'", {"a.mts": "import"}),
        ({"dir/index.ts": ""}, "import './dir'", {"dir/index.ts": "import"}),
        ({"dir/index.ts": "", "dir.ts": ""}, "import './dir/'", {"dir/index.ts": "import"}),
        (
            {"dir/package.json": '{"main": "lib/go.js"}', "dir/lib/go.ts": ""},
            "import './dir'",
            {"dir/lib/go.ts": "import"},
        ),
        ({"a.d.ts": ""}, "import './a'", {"a.d.ts": "import"}),
        ({"a.ts": ""}, "import type { A } from './a'", {"a.ts": "type"}),
        ({"a.ts": ""}, "import { type A, type B } from './a'", {"a.ts": "type"}),
        ({"a.ts": ""}, "import { type A, b } from './a'", {"a.ts": "import"}),
        ({"a.ts": ""}, "type T = import('./a').T", {"a.ts": "type"}),
        ({"a.ts": ""}, "const l = () => import('./a')", {"a.ts": "dynamic"}),
        ({"a.ts": ""}, "const l = require('./a')", {"a.ts": "import"}),
        ({"a.ts": ""}, "import a = require('./a')", {"a.ts": "import"}),
        ({"a.ts": ""}, "export * from './a'", {"a.ts": "reexport"}),
        ({"a.ts": ""}, "export type { A } from './a'", {"a.ts": "type"}),
        ({"a.ts": ""}, "import b from 'b'; declare module './a' { interface X {} }", {"a.ts": "type"}),
        ({"a.ts": ""}, "import './style.css'; import logo from './logo.svg'; import d from './d.json'", {}),
        ({"a.ts": ""}, "import raw from './missing.glsl?raw'", {}),
        ({"a.ts": ""}, "const s = \"import './a'\"; // require('./a')", {}),
    ],
)
def test_a_relative_import_leads_to_its_file(
    project: Project, files: dict[str, str], statement: str, expected: dict[str, str]
) -> None:
    project.write({**files, "main.ts": statement + ";\n"})
    assert {imported: kind for (_, imported), kind in project.edges().items()} == expected
    assert project.unresolved() == []


@pytest.mark.parametrize(
    ("files", "importer", "statement", "expected"),
    [
        ({"a.ts": ""}, "main.ts", "import(/* lazy */ './a')", {"a.ts": "dynamic"}),
        ({"a.ts": ""}, "main.ts", "import(`./a`)", {"a.ts": "dynamic"}),
        ({"a.ts": ""}, "main.ts", "require.resolve('./a')", {"a.ts": "import"}),
        ({"a.ts": ""}, "main.ts", "vi.mock('./a', () => ({}))", {"a.ts": "dynamic"}),
        ({"a.ts": ""}, "main.ts", "jest.requireActual('./a')", {"a.ts": "dynamic"}),
        ({"a.ts": ""}, "main.ts", "/// <reference path='a.ts' />\nlet x", {"a.ts": "type"}),
        ({"a.ts": ""}, "main.ts", "export * as all from './a'", {"a.ts": "reexport"}),
        ({"a.d.ts": ""}, "main.ts", "import './a.d.ts'", {"a.d.ts": "import"}),
        ({"a.cjs": ""}, "main.cjs", "require('./a.cjs')", {"a.cjs": "import"}),
        ({"a.jsx": ""}, "main.js", "import './a'", {"a.jsx": "import"}),
        ({"tsconfig.json": '{"compilerOptions": {"outDir": "out", "rootDir": "code"}}', "package.json": "{}",
          "code/deep/a.ts": ""}, "bin.js", "import './out/deep/a.js'", {"code/deep/a.ts": "import"}),
        ({"tsconfig.json": '{"compilerOptions": {"rootDirs": ["src", "made"]}}', "made/views/a.ts": ""},
         "src/views/main.ts", "import './a'", {"made/views/a.ts": "import"}),
        ({"tsconfig.json": '{"extends": ["./one.json", "./two.json"]}', "a.ts": "",
          "one.json": '{"compilerOptions": {"paths": {"x": ["./wrong"]}}}',
          "two.json": '{"compilerOptions": {"paths": {"x": ["./a"]}}}'}, "main.ts", "import 'x'", {"a.ts": "import"}),
        ({"package.json": '{"workspaces": ["*"]}', "base/package.json": '{"name": "@o/base"}',
          "base/strict.json": '{"compilerOptions": {"baseUrl": "${configDir}/src"}}',
          "app/tsconfig.json": '{"extends": "@o/base/strict.json"}', "app/src/a.ts": ""},
         "app/main.ts", "import 'a'", {"app/src/a.ts": "import"}),
        ({"jsconfig.json": '{"compilerOptions": {"paths": {"@/*": ["./lib/*"]}}}', "lib/a.js": ""},
         "main.js", "import '@/a'", {"lib/a.js": "import"}),
        ({"package.json": '{"name": "me", "exports": {"./a": "./src/a.ts"}}', "src/a.ts": ""},
         "src/main.ts", "import 'me/a'", {"src/a.ts": "import"}),
        ({"package.json": '{"imports": {"#in/*": {"node": "./src/*.ts"}, "#dep": "dep"}}', "src/a.ts": "",
          "dep/package.json": '{"name": "dep"}', "dep/index.ts": ""},
         "main.ts", "import '#in/a'; import '#dep'", {"src/a.ts": "import", "dep/index.ts": "import"}),
        ({"one/package.json": '{"name": "one", "exports": {".": {"react-server": "./server.ts",'
          ' "default": [{"import": "./client.ts"}]}, "./hidden/*": null, "./*": "./*.ts"}}',
          "one/server.ts": "", "one/client.ts": "", "one/hidden/a.ts": "", "one/open.ts": ""},
         "main.ts", "import 'one'; import 'one/open'", {"one/client.ts": "import", "one/open.ts": "import"}),
        ({"one/package.json": '{"name": "one", "typesVersions": {"*": {"sub": ["./dist/inner.d.ts"]}}}',
          "one/src/inner.ts": ""}, "main.ts", "import 'one/sub'", {"one/src/inner.ts": "import"}),
        ({"package.json": '{"dependencies": {"dep": "file:./third/dep"}}', "third/dep/package.json": '{"main": "m.js"}',
          "third/dep/m.js": ""}, "main.js", "import 'dep'", {"third/dep/m.js": "import"}),
        ({"a/package.json": '{"name": "dep", "main": "a.js"}', "a/a.js": "", "src/node_modules/dep/package.json": "{}",
          "src/node_modules/dep/index.js": ""},
         "src/main.js", "import 'dep'", {"src/node_modules/dep/index.js": "import"}),
    ],
)  # fmt: skip
def test_a_specifier_leads_where_the_tools_find_it(
    project: Project, files: dict[str, str], importer: str, statement: str, expected: dict[str, str]
) -> None:
    project.write({**files, importer: statement + ";\n"})
    found = {imported: kind for (source, imported), kind in project.edges().items() if source == importer}
    assert found == expected
    assert project.unresolved() == []


def test_of_the_projects_that_a_config_refers_to_the_one_that_holds_the_file_rules(project: Project) -> None:
    files = {"tsconfig.json": '{"include": [], "references": [{"path": "./tsconfig.a.json"}, {"path": "./b.json"}]}'}
    for name, config, include in (("a", "tsconfig.a.json", "./a.ts"), ("b", "b.json", "b*.ts")):
        paths = {"x": [f"./for-{name}.ts"]}
        files[config] = json.dumps({"include": [include], "compilerOptions": {"paths": paths}})
        files[f"{name}.ts"] = "import 'x';\n"
        files[f"for-{name}.ts"] = ""
    project.write(files)
    assert set(project.edges()) == {("a.ts", "for-a.ts"), ("b.ts", "for-b.ts")}


def test_a_blocked_subpath_is_listed_and_a_call_of_another_name_is_no_import(project: Project) -> None:
    project.write(
        {
            "one/package.json": '{"name": "one", "exports": {"./*": "./*.ts", "./hidden/*": null}}',
            "one/hidden/a.ts": "",
            "main.ts": "import 'one/hidden/a';\nmock('./b');\nother.mock('./b');\nrequire(name);\nimport(`./${b}`);\n",
        }
    )
    assert project.edges() == {}
    assert project.unresolved() == [("main.ts", "one/hidden/a")]


def test_the_nearest_tsconfig_rules_with_what_it_extends(project: Project) -> None:
    project.write(
        {
            "tsconfig.base.json": '{ // shared\n "compilerOptions": {"paths": {"@lib/*": ["./libs/*/src"],}},}\n',
            "libs/money/src/index.ts": "",
            "app/tsconfig.json": '{"extends": "../tsconfig.base"}',
            "app/main.ts": "import '@lib/money';\n",
            "web/tsconfig.json": '{"compilerOptions": {"baseUrl": "src", "paths": {"~": ["./root"], "~/*": ["./*"]}}}',
            "web/src/root.ts": "",
            "web/src/deep/page.tsx": "import '~/ui/button'; import '~'; import 'ui/button'; import '@lib/money';\n",
            "web/src/ui/button.tsx": "",
        }
    )
    assert set(project.edges()) == {
        ("app/main.ts", "libs/money/src/index.ts"),
        ("web/src/deep/page.tsx", "web/src/ui/button.tsx"),
        ("web/src/deep/page.tsx", "web/src/root.ts"),
    }


def test_a_config_that_extends_itself_ends(project: Project) -> None:
    project.write(
        {
            "tsconfig.json": '{"extends": "./other.json"}',
            "other.json": '{"extends": "./tsconfig.json", "compilerOptions": {"paths": {"#a": ["./a"]}}}',
            "a.ts": "",
            "main.ts": "import '#a';\n",
        }
    )
    assert set(project.edges()) == {("main.ts", "a.ts")}


def test_referenced_projects_lend_their_aliases(project: Project) -> None:
    project.write(
        {
            "tsconfig.json": '{"files": [], "references": [{"path": "./tsconfig.app.json"}]}',
            "tsconfig.app.json": '{"compilerOptions": {"paths": {"@/*": ["./src/*"]}}}',
            "src/a.ts": "",
            "src/main.ts": "import '@/a';\n",
        }
    )
    assert set(project.edges()) == {("src/main.ts", "src/a.ts")}


def test_workspace_packages_lead_to_the_source_behind_what_is_not_built(project: Project) -> None:
    server = {
        "name": "@org/server",
        "exports": {
            ".": {"import": {"types": "./dist/index.d.mts", "default": "./dist/index.mjs"}},
            "./adapters/*": {"types": "./dist/esm/adapters/*.d.ts"},
            "./raw": {"source": "./src/raw.ts", "default": "./dist/other.js"},
        },
    }
    project.write(
        {
            "package.json": '{"workspaces": ["packages/*"]}',
            "packages/server/package.json": json.dumps(server),
            "packages/server/src/index.ts": "",
            "packages/server/src/adapters/fetch/index.ts": "",
            "packages/server/src/raw.ts": "",
            "packages/plain/package.json": '{"name": "plain", "main": "build/main.js"}',
            "packages/plain/src/main.ts": "",
            "packages/plain/src/sub/x.ts": "",
            "samples/plain/package.json": '{"name": "plain", "main": "wrong.js"}',
            "samples/plain/wrong.js": "",
            "packages/app/package.json": '{"name": "app", "imports": {"#db": "./src/db.ts"}}',
            "packages/app/src/db.ts": "",
            "packages/app/src/main.ts": "import '@org/server';\nimport '@org/server/adapters/fetch';\n"
            "import '@org/server/raw';\nimport 'plain';\nimport '#db';\nimport 'react';\n",
        }
    )
    assert {imported for _, imported in project.edges()} == {
        "packages/server/src/index.ts",
        "packages/server/src/adapters/fetch/index.ts",
        "packages/server/src/raw.ts",
        "packages/plain/src/main.ts",
        "packages/app/src/db.ts",
    }
    assert project.unresolved() == []


def test_pnpm_workspaces_are_members_too(project: Project) -> None:
    project.write(
        {
            "pnpm-workspace.yaml": "packages:\n  # ours\n  - 'libs/*'\n  - '!libs/old'\ncatalog:\n  x: 1\n",
            "package.json": '{"dependencies": {"one": "workspace:*"}}',
            "libs/old/package.json": '{"name": "one", "main": "old.js"}',
            "libs/old/old.js": "",
            "libs/one/package.json": '{"name": "one", "main": "new.js"}',
            "libs/one/new.js": "",
            "main.js": "require('one')\n",
        }
    )
    assert set(project.edges()) == {("main.js", "libs/one/new.js")}


@pytest.mark.parametrize(
    ("lock", "declared", "importer", "is_linked"),
    [
        ("pnpm-workspace.yaml", "app", "app/main.js", True),
        ("pnpm-workspace.yaml", "app", "sample/main.js", False),
        ("pnpm-workspace.yaml", "sample", "sample/main.js", False),
        ("pnpm-workspace.yaml", "", "sample/main.js", True),
        ("yarn.lock", "app", "sample/main.js", True),
    ],
)
def test_a_workspace_package_is_meant_where_the_installer_links_it(
    project: Project, lock: str, declared: str, importer: str, is_linked: bool
) -> None:
    files = {
        "package.json": '{"workspaces": ["app", "lib"]}',
        "app/package.json": "{}",
        "sample/package.json": "{}",
        "lib/package.json": '{"name": "lib", "main": "a.js"}',
        "lib/a.js": "",
        lock: "packages:\n  - app\n  - lib\n",
        importer: "require('lib')\n",
    }
    manifest = f"{declared}/package.json".lstrip("/")
    files[manifest] = json.dumps({**json.loads(files[manifest]), "dependencies": {"lib": "1"}})
    project.write(files)
    assert set(project.edges()) == ({(importer, "lib/a.js")} if is_linked else set())
    assert project.unresolved() == []


def test_a_barrel_is_followed_to_the_definition_and_both_edges_are_kept(project: Project) -> None:
    project.write(
        {
            "lib/index.ts": "export * from './shapes';\nexport { make as create } from './make';\n"
            "import { inner } from './inner';\nexport { inner };\n",
            "lib/shapes/index.ts": "export { Circle } from './circle';\n",
            "lib/shapes/circle.ts": "export class Circle {}\n",
            "lib/make.ts": "export function make() {}\n",
            "lib/inner.ts": "export const inner = 1;\n",
            "main.ts": "import { Circle, create, inner } from './lib';\n",
        }
    )
    edges = {(e.imported, e.kind) for e in project.graph().imports_of("main.ts")}
    assert edges == {
        ("lib/index.ts", "import"),
        ("lib/shapes/circle.ts", "reexport"),
        ("lib/make.ts", "reexport"),
        ("lib/inner.ts", "reexport"),
    }


def test_what_looks_local_and_is_not_there_is_listed_and_nothing_else(project: Project) -> None:
    project.write(
        {
            "tsconfig.json": '{"compilerOptions": {"paths": {"@app/*": ["./src/*"]}}}',
            "package.json": '{"workspaces": ["packages/*"]}',
            "packages/one/package.json": '{"name": "one", "exports": {".": "./dist/index.js"}}',
            "packages/one/src/index.ts": "",
            "main.ts": "import './gone'; import '@app/gone'; import 'one/deep'; import 'react'; import 'node:fs';\n",
        }
    )
    assert project.unresolved() == [("main.ts", "./gone"), ("main.ts", "@app/gone"), ("main.ts", "one/deep")]


def test_a_linked_config_is_the_file_behind_the_link(project: Project) -> None:
    project.write({"eslint.config.js": "", "packages/a/main.js": "import './root.config.js';\n"})
    (project.root / "packages/a/root.config.js").symlink_to("../../eslint.config.js")
    assert set(project.edges()) == {("packages/a/main.js", "eslint.config.js")}
