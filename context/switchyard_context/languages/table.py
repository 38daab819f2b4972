"""The languages as far as they are known without reading a file; readers and resolvers are imported when first called.

A query that finds everything in the cache calls none, and would spend a tenth of its time on importing them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from switchyard_context.facts import FileFacts
from switchyard_context.languages.contract import Language, Resolver, Tree

_Facts = Mapping[str, FileFacts]


def _read_python(content: bytes) -> FileFacts:
    from switchyard_context.languages.python import read_facts

    return read_facts(content)


def _open_python(tree: Tree, facts: _Facts) -> Resolver:
    from switchyard_context.languages.python_resolution import PythonResolver

    return PythonResolver(tree, facts)


def is_python_test(path: str) -> bool:
    """By pytest's and unittest's naming; `tests.py` is Django's."""
    name = path.rpartition("/")[2]
    stem, _, suffix = name.partition(".")
    return suffix in ("py", "pyw") and (
        stem.startswith("test_") or stem.endswith(("_test", "_tests")) or stem == "tests"
    )


PYTHON = Language(
    name="python",
    version=2,
    readers=dict.fromkeys((".py", ".pyi", ".pyw"), _read_python),
    open_resolver=_open_python,
    is_test=is_python_test,
    configs=(("pyproject.toml", "setup.cfg", "setup.py"),),
    tracks_facts=True,
)


def _read_typescript(content: bytes) -> FileFacts:
    from switchyard_context.languages.typescript import read_typescript

    return read_typescript(content)


def _read_tsx(content: bytes) -> FileFacts:
    from switchyard_context.languages.typescript import read_tsx

    return read_tsx(content)


def _read_javascript(content: bytes) -> FileFacts:
    from switchyard_context.languages.typescript import read_javascript

    return read_javascript(content)


def _open_typescript(tree: Tree, facts: _Facts) -> Resolver:
    from switchyard_context.languages.typescript_resolution import TypeScriptResolver

    return TypeScriptResolver(tree, facts)


def is_typescript_test(path: str) -> bool:
    """By the names that jest, vitest, mocha and playwright look for."""
    name = path.rpartition("/")[2]
    parts = name.split(".")
    if any(part in ("test", "spec", "e2e", "cy") for part in parts[1:-1]):
        return True
    folders = path.split("/")[:-1]
    return "__tests__" in folders and not {"fixtures", "__fixtures__", "helpers", "utils"} & set(folders)


TYPESCRIPT = Language(
    name="typescript",
    version=3,
    readers={
        **dict.fromkeys((".ts", ".mts", ".cts"), _read_typescript),
        ".tsx": _read_tsx,
        **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs"), _read_javascript),
    },
    open_resolver=_open_typescript,
    is_test=is_typescript_test,
    configs=(("tsconfig.json", "jsconfig.json"), ("package.json",)),
    tracks_facts=True,
)


def _read_java(content: bytes) -> FileFacts:
    from switchyard_context.languages.java import read_facts

    return read_facts(content)


def _open_java(tree: Tree, facts: _Facts) -> Resolver:
    from switchyard_context.languages.java_resolution import JavaResolver

    return JavaResolver(tree, facts)


def is_java_test(path: str) -> bool:
    """By the folders and names that Maven, Gradle and JUnit look for; nothing in `src/main` is a test."""
    if re.search(r"(?:^|/)src/(?:test|[^/]*Test)/", path):
        return True
    name = path.rpartition("/")[2]
    return "/src/main/" not in f"/{path}" and bool(re.fullmatch(r"(?:.*(?:Test|Tests|IT)|Test.*)\.java", name))


JAVA = Language(
    name="java",
    version=1,
    readers={".java": _read_java},
    open_resolver=_open_java,
    is_test=is_java_test,
    configs=(("pom.xml", "build.gradle", "build.gradle.kts"), ("settings.gradle", "settings.gradle.kts")),
    tracks_facts=True,
)


def _read_go(content: bytes) -> FileFacts:
    from switchyard_context.languages.go import read_facts

    return read_facts(content)


def _open_go(tree: Tree, facts: _Facts) -> Resolver:
    from switchyard_context.languages.go_resolution import GoResolver

    return GoResolver(tree, facts)


def is_go_test(path: str) -> bool:
    """By the rule of `go test`."""
    return path.endswith("_test.go")


GO = Language(
    name="go",
    version=1,
    readers={".go": _read_go},
    open_resolver=_open_go,
    is_test=is_go_test,
    configs=(("go.mod",), ("go.work",)),
    tracks_facts=True,
)


def _read_rust(content: bytes) -> FileFacts:
    from switchyard_context.languages.rust import read_facts

    return read_facts(content)


def _open_rust(tree: Tree, facts: _Facts) -> Resolver:
    from switchyard_context.languages.rust_resolution import RustResolver

    return RustResolver(tree, facts)


def is_rust_test(path: str) -> bool:
    """By cargo's layout and the names of test modules; benches are run to measure, not to check."""
    *folders, name = path.split("/")
    stem, _, suffix = name.rpartition(".")
    return suffix == "rs" and (
        "tests" in folders
        or stem in ("test", "tests")
        or stem.endswith(("_test", "_tests"))
        or stem.startswith("test_")
    )


RUST = Language(
    name="rust",
    version=4,
    readers={".rs": _read_rust},
    open_resolver=_open_rust,
    is_test=is_rust_test,
    configs=(("Cargo.toml",),),
    tracks_facts=True,
)
