"""Source files as the gates that run tests see them: their language, their syntax tree, their statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.test_files import TEST_PATTERNS

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

MOST_PARSED_BYTES = 1_000_000
MOST_DEPTH = 300
"""Of a file that is longer or nested more deeply, every line that is not blank counts as a statement."""
_GRAMMARS = {
    "python": ("tree_sitter_python", "language", (".py",)),
    "javascript": ("tree_sitter_javascript", "language", (".js", ".mjs", ".cjs", ".jsx")),
    "typescript": ("tree_sitter_typescript", "language_typescript", (".ts", ".mts", ".cts")),
    "tsx": ("tree_sitter_typescript", "language_tsx", (".tsx",)),
    "go": ("tree_sitter_go", "language", (".go",)),
    "rust": ("tree_sitter_rust", "language", (".rs",)),
    "java": ("tree_sitter_java", "language", (".java",)),
}
_FAMILIES = {"typescript": "javascript", "tsx": "javascript"}
_SET_UP = (
    "**/setup.py",
    "**/noxfile.py",
    "**/*.config.[jt]s",
    "**/*.config.[cm][jt]s",
    "**/build.rs",
    "**/__mocks__/**",
)
_DECLARATIONS_ONLY = (".d.ts", ".d.mts", ".d.cts")
_SUITES = frozenset(
    (
        *("module", "block", "program", "statement_block", "class_body", "switch_case", "switch_default"),
        *("source_file", "statement_list", "declaration_list", "match_block", "interface_body"),
        *("constructor_body", "switch_block", "switch_block_statement_group", "enum_body_declarations", "ERROR"),
    )
)
"""What holds statements, one after the other."""
_COMMENTS = frozenset(("comment", "line_comment", "block_comment"))
_NOT_RUN = frozenset(
    (
        *("import_statement", "import_from_statement", "future_import_statement", "import_declaration"),
        *("package_clause", "package_declaration", "use_declaration", "extern_crate_declaration", "mod_item"),
        *("function_definition", "class_definition", "decorated_definition", "function_declaration"),
        *("class_declaration", "interface_declaration", "type_alias_declaration", "enum_declaration"),
        *("abstract_class_declaration", "ambient_declaration", "record_declaration", "internal_module"),
        *("method_definition", "method_declaration", "constructor_declaration", "annotation_type_declaration"),
        *("function_item", "function_signature_item", "impl_item", "trait_item", "struct_item", "enum_item"),
        *("union_item", "type_item", "const_item", "static_item", "attribute_item", "inner_attribute_item"),
        *("macro_definition", "type_declaration", "const_declaration", "var_declaration", "field_declaration"),
        *("public_field_definition", "field_definition", "module", "block", "statement_list", "static_initializer"),
        *("function_signature", "method_signature", "abstract_method_signature", "import_alias", "type_spec"),
        *("pass_statement", "global_statement", "nonlocal_statement", "empty_statement", "switch_case"),
    )
)
"""What declares, or only holds what runs."""


@dataclass(frozen=True)
class Statements:
    """The lines of one file, from 1, by what they hold."""

    first: dict[int, int]
    """Each line of code → the first line of the innermost statement that it belongs to."""
    run: frozenset[int]
    """First lines of the statements that do something when they are reached."""
    last: dict[int, int] = field(default_factory=dict)
    """First line of a statement → last line of the longest that begins there."""


def language_of(path: str) -> str:
    """The grammar of a file, by its suffix; "" where there is none or the file only declares types."""
    if path.endswith(_DECLARATIONS_ONLY):
        return ""
    suffix = PurePosixPath(path).suffix
    return next((name for name, (_, _, suffixes) in _GRAMMARS.items() if suffix in suffixes), "")


def family_of(path: str) -> str:
    """The language as reports know it: TypeScript counts as JavaScript."""
    language = language_of(path)
    return _FAMILIES.get(language, language)


def runnable_files(change: Change, exclude: Sequence[str]) -> list[ChangedFile]:
    """The files with new lines that tests could run: source in a language that is read here, and no test.

    Args:
        exclude: Patterns, as in .gitignore, of files that are left out besides tests and what builds the code.
    """
    left_out = GitIgnoreSpec.from_lines((*TEST_PATTERNS, *_SET_UP, *exclude))
    return [
        file
        for file in change.files
        if file.after is not None and file.mode_after.startswith("100") and not file.is_binary
        if family_of(file.path) and not left_out.match_file(file.path) and file.added_lines
    ]


def parse(language: str, source: bytes) -> Node | None:
    """The root of the syntax tree; None where the source is too long, or nested too deeply, to be looked through."""
    if len(source) > MOST_PARSED_BYTES:
        return None
    root = _parser(language).parse(source).root_node
    return None if _is_deep(root) else root


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, outer ones first, in the order of the file."""
    waiting = [node]
    while waiting:
        item = waiting.pop()
        yield item
        waiting.extend(reversed(item.children))


def statements_of(path: str, source: bytes) -> Statements:
    """The statements of a file; where no grammar reads it, each line that is not blank is one."""
    language = language_of(path)
    root = parse(language, source) if language else None
    if root is None:
        lines = {number: number for number, line in enumerate(source.splitlines(), 1) if line.strip()}
        return Statements(lines, frozenset(lines))
    first: dict[int, int] = {}
    run: set[int] = set()
    code: set[int] = set()
    last: dict[int, int] = {}
    for node in walk(root):
        start, end = node.start_point.row + 1, node.end_point.row + 1
        if _is_statement(node):
            first.update(dict.fromkeys(range(start, end + 1), start))
            last[start] = max(end, last.get(start, 0))
            if _is_run(node):
                run.add(start)
        if not node.child_count and _is_word(node):
            code.update(range(start, end + 1))
    return Statements({line: first[line] for line in code if line in first}, frozenset(run & code), last)


def is_docstring(node: Node) -> bool:
    """Whether a node is a string that stands alone, as a statement or in one."""
    statement = node if node.type == "expression_statement" else node.parent
    if statement is None or statement.type != "expression_statement" or len(statement.named_children) != 1:
        return False
    return statement.named_children[0].type == "string"


@cache
def _parser(language: str) -> Parser:
    from tree_sitter import Language, Parser

    package, function, _ = _GRAMMARS[language]
    return Parser(Language(getattr(import_module(package), function)()))


def _is_deep(root: Node) -> bool:
    """Whether the tree is nested so deeply that asking each node for its parent would take for ever."""
    cursor, depth = root.walk(), 0
    while depth <= MOST_DEPTH:
        if cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return False
            depth -= 1
    return True


def _is_statement(node: Node) -> bool:
    return node.is_named and node.type not in _COMMENTS and node.parent is not None and node.parent.type in _SUITES


def _is_run(node: Node) -> bool:
    """Whether a statement does something when it is reached."""
    if node.type != "export_statement":
        return node.type not in _NOT_RUN
    declared = node.child_by_field_name("declaration")
    return declared.type not in _NOT_RUN if declared is not None else node.child_by_field_name("value") is not None


def _is_word(node: Node) -> bool:
    """Whether a leaf is more than punctuation, and no part of a comment or of a docstring."""
    above: Node | None = node
    while above is not None and above.type not in _SUITES:
        if above.type in _COMMENTS or is_docstring(above):
            return False
        if above.type == "expression_statement":
            break
        above = above.parent
    return any(byte > 127 or chr(byte).isalnum() or byte == ord("_") for byte in (node.text or b""))
