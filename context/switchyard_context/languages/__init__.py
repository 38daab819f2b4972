"""The languages that the graph reads; a new one is a module here and an entry in the dict."""

from __future__ import annotations

from switchyard_context.languages import python, typescript
from switchyard_context.languages.contract import Language
from switchyard_context.languages.python_resolution import PythonResolver, is_python_test
from switchyard_context.languages.typescript_resolution import TypeScriptResolver, is_typescript_test

__all__ = ["LANGUAGES", "Language", "language_of", "suffix_of"]

LANGUAGES: dict[str, Language] = {
    "python": Language(
        name="python",
        version=python.VERSION,
        readers=dict.fromkeys(python.SUFFIXES, python.read_facts),
        open_resolver=PythonResolver,
        is_test=is_python_test,
        configs=(("pyproject.toml", "setup.cfg", "setup.py"),),
    ),
    "typescript": Language(
        name="typescript",
        version=typescript.VERSION,
        readers={
            **dict.fromkeys(typescript.TYPESCRIPT_SUFFIXES, typescript.read_typescript),
            **dict.fromkeys(typescript.TSX_SUFFIXES, typescript.read_tsx),
            **dict.fromkeys(typescript.JAVASCRIPT_SUFFIXES, typescript.read_javascript),
        },
        open_resolver=TypeScriptResolver,
        is_test=is_typescript_test,
        configs=(("tsconfig.json", "jsconfig.json"), ("package.json",)),
    ),
}
_OF_SUFFIX = {suffix: language for language in LANGUAGES.values() for suffix in language.readers}


def suffix_of(path: str) -> str:
    """The last extension of a path, dot included."""
    name = path.rpartition("/")[2]
    return "." + name.rpartition(".")[2] if "." in name[1:] else ""


def language_of(path: str) -> Language | None:
    """The language that reads a path, by its extension."""
    return _OF_SUFFIX.get(suffix_of(path))
