"""The languages that the graph reads; a new one is described in `table.py` and stands in the tuple."""

from __future__ import annotations

from switchyard_context.languages.contract import Language
from switchyard_context.languages.table import GO, JAVA, PYTHON, RUST, TYPESCRIPT

__all__ = ["LANGUAGES", "Language", "language_of", "suffix_of"]

LANGUAGES: dict[str, Language] = {
    language.name: language
    for language in (
        PYTHON,
        TYPESCRIPT,
        JAVA,
        GO,
        RUST,
    )
}
_OF_SUFFIX = {suffix: language for language in LANGUAGES.values() for suffix in language.readers}


def suffix_of(path: str) -> str:
    """The last extension of a path, dot included."""
    name = path.rpartition("/")[2]
    return "." + name.rpartition(".")[2] if "." in name[1:] else ""


def language_of(path: str) -> Language | None:
    """The language that reads a path, by its extension."""
    # Asked of every path of a tree several times, so it does without `suffix_of`.
    dot = path.rfind(".")
    found = _OF_SUFFIX.get(path[dot:]) if dot > 0 else None
    return found if found is not None and path[dot - 1] != "/" else None
