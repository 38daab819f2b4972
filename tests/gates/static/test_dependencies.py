"""What manifests and lock files of five languages newly ask for, and from where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gates.static.changes import a_file, added, asked, inspect, says

POM = "<groupId>evil</groupId><artifactId>a</artifactId>"
ADDED = [
    ("pyproject.toml", '[project]\ndependencies = ["a"]\n', '[project]\ndependencies = ["a", "evil>=1"]\n'),
    ("pyproject.toml", "", '[tool.poetry.dependencies]\npython = "^3.11"\nevil = "^1"\n'),
    ("requirements.txt", "a==1\n", "a==1\r\nevil==2\r\n"),
    ("requirements/base.in", "a\n", "a\nevil\n"),
    ("setup.cfg", "[options]\ninstall_requires =\n  a\n", "[options]\ninstall_requires =\n  a\n  evil\n"),
    ("setup.py", "setup(install_requires=['a'])", "setup(install_requires=['a', 'evil'], extras_require={'x': []})"),
    ("setup.py", "", "DEPS = ['evil']\nsetup(install_requires=DEPS)"),
    ("web/package.json", '{"dependencies": {"a": "1"}}', '{"dependencies": {"a": "1", "evil": "^1"}}'),
    ("go.mod", "module x\nrequire a.b/c v1.0.0\n", "module x\nrequire (\n\ta.b/c v1.0.0\n\tevil v1.0.0\n)\n"),
    ("Cargo.toml", '[dependencies]\na = "1"\n', '[dependencies]\na = "1"\nevil = { version = "1" }\n'),
    ("Cargo.toml", "", '[target."cfg(unix)".dependencies]\nevil = "1"\n'),
    ("pom.xml", "<project/>", f"<project><dependencies><dependency>{POM}</dependency></dependencies></project>"),
    ("build.gradle", "dependencies {\n}\n", 'dependencies {\n    implementation "evil:a:1"\n}\n'),
    ("requirements-docker.txt", "a==1\n", "a==1\nevil==2\n"),
    ("pyproject.toml", "", '[project.optional-dependencies]\nspecial = ["evil"]\nlatest = []\n'),
    ("pyproject.toml", "", '[build-system]\nrequires = ["hatchling", "hatchling.evil"]\n'),
    ("app/build.gradle.kts", "", 'dependencies {\n    implementation("evil:a:1")\n}\n'),
]


@pytest.mark.parametrize(("path", "before", "after"), ADDED)
def test_a_new_dependency_is_for_a_person_unless_the_task_allows_it(path: str, before: str, after: str) -> None:
    (question,) = asked(inspect(a_file(path, before, after))["dependencies"])
    assert question[0] == "person" and "evil" in question[1] and "licence" in question[1]
    allowed = inspect(a_file(path, before, after), allow=["dependencies"])["dependencies"]
    assert not asked(allowed) and "evil" in says(allowed, asks="note") and "allow: [dependencies]" in allowed.reason


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["a>=1", "b"]\n', '[project]\ndependencies = ["a>=2"]\n'),
        ("requirements-dev.txt", "a\n", "a\npytest-more\n"),
        (
            "package.json",
            '{"devDependencies": {}}',
            '{"devDependencies": {"vitest": "1"}, "scripts": {"test": "vitest"}}',
        ),
        ("Cargo.toml", "", '[dev-dependencies]\nproptest = "1"\n'),
        ("go.mod", "module x\nrequire a v1.0.0\n", "module x\nrequire a v1.1.0\nrequire b v1.0.0 // indirect\n"),
        (
            "build.gradle",
            'dependencies {\n api "a:b:1"\n}',
            'dependencies {\n api "a:b:2"\n testImplementation "c:d:1"\n}',
        ),
        ("pom.xml", "<project/>", "<project><name>x</name></project>"),
        ("pyproject.toml", "", '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'),
        ("pyproject.toml", "", '[build-system]\nrequires = ["flit_core >=3"]\nbuild-backend = "flit_core.buildapi"\n'),
        ("pyproject.toml", "", '[project.optional-dependencies]\nunit-tests = ["a"]\ndocumentation = ["b"]\n'),
        ("requirements/testing.txt", "", "a==1\n"),
        ("package.json", '{"packageManager": "pnpm@9.1.0"}', '{"packageManager": "pnpm@9.2.0+sha512.aa"}'),
        ("pnpm-workspace.yaml", "packages: [a]\n", "packages: [a, b]\ncatalog: {a: ^1}\n"),
        ("go.work", "go 1.22\nuse ./a\n", "go 1.23\nuse (\n\t./a\n\t./b\n)\n"),
    ],
)
def test_versions_removals_and_what_development_needs_are_notes(path: str, before: str, after: str) -> None:
    assert inspect(a_file(path, before, after))["dependencies"].outcome == "passed"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("requirements.txt", "a\n", "a\n--extra-index-url https://evil.example/simple\n"),
        ("requirements.txt", "a==1\n", "a @ git+https://evil.example/a\n"),
        ("requirements.txt", "a==1 --hash=sha256:aa\n", "a==1\n"),
        ("package.json", '{"dependencies": {"a": "1"}}', '{"dependencies": {"a": "npm:evil@1"}}'),
        ("package.json", "{}", '{"scripts": {"postinstall": "node x.js"}}'),
        ("package.json", "{}", '{"overrides": {"a": "github:evil/a"}}'),
        ("package.json", "{}", '{"devDependencies": {"a": "https://evil.example/a.tgz"}}'),
        ("go.mod", "module x\nrequire a v1\n", "module x\nrequire a v1\nreplace a => evil.example/a v1\n"),
        ("Cargo.toml", '[dependencies]\na = "1"\n', '[dependencies]\na = { git = "https://evil.example" }\n'),
        ("Cargo.toml", "", '[patch.crates-io]\na = { git = "https://evil.example" }\n'),
        (
            "pom.xml",
            "<project/>",
            "<project><repositories><repository><url>https://e.x</url></repository></repositories></project>",
        ),
        ("build.gradle", "", 'repositories { maven { url "https://evil.example" } }'),
        ("package.json", '{"packageManager": "pnpm@9"}', '{"packageManager": "pnpm@https://evil.example/p.tgz"}'),
        ("package.json", "{}", '{"trustedDependencies": ["a"]}'),
        ("package.json", "{}", '{"pnpm": {"onlyBuiltDependencies": ["a"]}}'),
        ("pnpm-workspace.yaml", "packages: [a]\n", "packages: [a]\noverrides:\n  a: npm:evil@1\n"),
        ("pnpm-workspace.yaml", "catalog: {a: ^1}\n", "catalog: {a: 'npm:evil@1'}\n"),
        ("pnpm-workspace.yaml", "", "allowBuilds: {a: true}\n"),
        ("pnpm-workspace.yaml", "", "packages: [\n"),
        ("go.work", "go 1.22\n", "go 1.22\nreplace a => evil.example/a v1\n"),
        ("pyproject.toml", "", '[tool.hatch.build.hooks.custom]\npath = "hook.py"\n'),
        ("pyproject.toml", "", "[tool.hatch.build.targets.wheel.hooks.custom]\n[tool.hatch.build]\n"),
        ("pyproject.toml", "", '[tool.setuptools.cmdclass]\nbuild_py = "hook.Build"\n'),
        ("pyproject.toml", "", '[tool.poetry.build]\nscript = "build.py"\n'),
        ("pyproject.toml", "", "[tool.pdm.build]\nrun-setuptools = true\n"),
        ("pyproject.toml", "", '[[tool.uv.index]]\nurl = "https://evil.example"\n'),
        ("pyproject.toml", "[project]\n", "[project\n"),
        ("pom.xml", "<project/>", '<!DOCTYPE a [<!ENTITY b "c">]><project>&b;</project>'),
    ],
)
def test_another_source_is_for_a_person_even_where_dependencies_are_allowed(path: str, before: str, after: str) -> None:
    assert asked(inspect(a_file(path, before, after), allow=["dependencies"])["dependencies"])


def npm_lock(**pin: Any) -> str:
    entry = {"version": "1.0.0", "resolved": "https://registry.npmjs.org/a/-/a.tgz", "integrity": "sha512-x", **pin}
    return json.dumps({"lockfileVersion": 3, "packages": {"": {}, "node_modules/a": entry}})


NPM = "https://registry.npmjs.org"
BERRY = '__metadata:\n  version: 8\n\n"a@npm:^1":\n  version: 1.0.0\n  resolution: "{}"\n  checksum: 10/abc\n'
YARN = 'a@^1:\n  version "1.0.0"\n  resolved "https://registry.yarnpkg.com/a.tgz#abc"\n  integrity sha512-x\n'
UV = (
    '[[package]]\nname = "a"\nversion = "1"\nsource = {{ registry = "https://{}" }}\n'
    'sdist = {{ url = "https://{}/a", hash = "{}" }}\n'
)
CARGO = '[[package]]\nname = "a"\nversion = "1"\nsource = '
CRATES = '"registry+https://github.com/rust-lang/crates.io-index"'


@pytest.mark.parametrize(
    ("path", "before", "after", "told"),
    [
        ("package-lock.json", npm_lock(), npm_lock(resolved="https://evil.example/a.tgz"), "evil.example"),
        ("package-lock.json", npm_lock(), npm_lock(integrity=""), "without a hash"),
        ("package-lock.json", npm_lock(), npm_lock(integrity="sha512-y"), "hash to something else"),
        ("yarn.lock", YARN, YARN.replace("registry.yarnpkg.com", "evil.example"), "evil.example"),
        (
            "pnpm-lock.yaml",
            "packages:\n  a@1:\n    resolution: {integrity: x}\n",
            "packages:\n  a@1:\n    resolution: {integrity: x, tarball: https://evil.example/a}\n",
            "evil.example",
        ),
        (
            "uv.lock",
            UV.format("pypi.org", "pypi.org", "sha256:x"),
            UV.format("evil.example", "pypi.org", "sha256:x"),
            "evil",
        ),
        (
            "uv.lock",
            UV.format("pypi.org", "pypi.org", "sha256:x"),
            UV.format("pypi.org", "pypi.org", ""),
            "without a hash",
        ),
        (
            "poetry.lock",
            '[[package]]\nname = "a"\nversion = "1"\nfiles = [{hash = "sha256:x"}]\n',
            '[[package]]\nname = "a"\nversion = "1"\nfiles = []\n',
            "without a hash",
        ),
        ("Cargo.lock", f'{CARGO}{CRATES}\nchecksum = "x"\n', f'{CARGO}"git+https://evil.example/a"\n', "evil.example"),
        ("go.sum", "a v1 h1:x=\n", "a v1 h1:y=\n", "hash to something else"),
        ("Cargo.lock", f'{CARGO}"git+https://f.example/a/a"\n', f'{CARGO}"git+https://f.example/evil/a"\n', "evil"),
        ("package-lock.json", npm_lock(), npm_lock(version="2", resolved=f"{NPM}/evil/-/evil-2.tgz"), "npm:evil"),
        (
            "yarn.lock",
            YARN,
            f'a@^1:\n  version "2.0.0"\n  resolved "{NPM}/@x%2fevil/-/evil-2.tgz#abc"\n  integrity sha512-y\n',
            "npm:@x/evil",
        ),
        ("yarn.lock", BERRY.format("a@npm:1.0.0"), BERRY.format("evil@npm:1.0.0"), "npm:evil"),
        (
            "uv.lock",
            UV.format("pypi.org", "pypi.org", "sha256:x"),
            UV.format("pypi.org", "pypi.org/evil-2-py3-none-any.whl?", "sha256:y").replace("?/a", ""),
            "pypi:evil",
        ),
        ("package-lock.json", npm_lock(), "{", "cannot be read"),
        ("package-lock.json", npm_lock(), None, "removed"),
    ],
)
def test_a_lock_file_that_pins_less_or_elsewhere_is_for_a_person(
    path: str, before: str, after: str | None, told: str
) -> None:
    assert told in says(inspect(a_file(path, before, after), allow=["dependencies"])["dependencies"])


def test_an_ordinary_update_of_a_lock_file_passes() -> None:
    newer = npm_lock(version="1.0.1", integrity="sha512-y", resolved="https://registry.npmjs.org/a/-/a-1.0.1.tgz")
    assert inspect(a_file("package-lock.json", npm_lock(), newer))["dependencies"].outcome == "passed"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("yarn.lock", BERRY.format("a@npm:1.0.0"), BERRY.format("a@npm:1.0.1").replace("n: 1.0.0", "n: 1.0.1")),
        ("yarn.lock", BERRY.format("a@npm:1.0.0"), BERRY.format("b@npm:1.0.0").replace("a@npm:^1", "a@npm:b@^1")),
        (
            "poetry.lock",
            '[[package]]\nname = "a-b"\nversion = "1"\nfiles = [{file = "a_b-1.tar.gz", hash = "sha256:x"}]\n',
            '[[package]]\nname = "a-b"\nversion = "2"\nfiles = [{file = "A.b-2-py3-any.whl", hash = "sha256:y"}]\n',
        ),
    ],
)
def test_other_versions_and_aliases_in_lock_files_pass(path: str, before: str, after: str) -> None:
    result = inspect(a_file(path, before, after))["dependencies"]
    assert result.outcome == "passed", says(result)


def test_a_package_that_newly_runs_something_at_its_installation_is_for_a_person() -> None:
    newer = npm_lock(version="1.0.1", resolved=f"{NPM}/a/-/a-1.0.1.tgz", integrity="sha512-y", hasInstallScript=True)
    result = inspect(a_file("package-lock.json", npm_lock(), newer))["dependencies"]
    assert "run something while they are installed: `a`" in says(result)
    again = newer.replace("1.0.1", "1.0.2").replace("sha512-y", "sha512-z")
    assert not asked(inspect(a_file("package-lock.json", newer, again))["dependencies"])


@pytest.mark.parametrize("path", ["build.rs", "core/build.rs", "native/binding.gyp"])
def test_a_program_that_a_build_runs_by_its_name_is_for_a_person(path: str) -> None:
    assert "run while it is installed or built" in says(inspect(added(path, "fn main() {}\n"))["dependencies"])


def test_a_module_called_build_and_a_build_script_that_moves_are_ordinary() -> None:
    assert not asked(inspect(added("core/src/build.rs", "fn main() {}\n"))["dependencies"])
    moved = (a_file("a/build.rs", "fn main() {}\n", None), added("b/build.rs", "fn main() {}\n"))
    assert not asked(inspect(*moved)["dependencies"])


def test_a_package_that_only_the_lock_file_names_is_for_a_person() -> None:
    text = "a v1 h1:x=\n"
    result = inspect(a_file("go.sum", text, text + "evil v1 h1:z=\n"))["dependencies"]
    assert "without a change of a manifest: `evil`" in says(result)


def test_a_dependency_that_moves_to_another_manifest_is_not_new() -> None:
    one = a_file("a/package.json", '{"dependencies": {"x": "1"}}', "{}")
    assert not asked(inspect(one, a_file("b/package.json", "{}", '{"dependencies": {"x": "1"}}'))["dependencies"])


def test_without_manifest_and_lock_file_the_gate_does_not_apply() -> None:
    assert inspect(added("a.py", "x = 1\n"))["dependencies"].outcome == "not_applicable"
