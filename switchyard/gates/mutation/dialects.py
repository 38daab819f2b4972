"""What the generator must know of each language: its node types, by what may be changed in them and what may not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

OPERATORS: dict[str, tuple[str, ...]] = {
    **{"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<")},
    **{"==": ("!=",), "!=": ("==",), "===": ("!==",), "!==": ("===",)},
    **{"is": ("is not",), "is not": ("is",), "in": ("not in",), "not in": ("in",)},
    **{"and": ("or",), "or": ("and",), "&&": ("||",), "||": ("&&",)},
    **{"+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("*",), "//": ("*",), "**": ("*",)},
    **{"<<": (">>",), ">>": ("<<",), "&": ("|",), "|": ("&",), "^": ("&",)},
    **{"+=": ("-=",), "-=": ("+=",), "*=": ("/=",), "/=": ("*=",)},
}
"""Operator → what it becomes, one at a time."""
COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!=", "===", "!==", "is", "is not", "in", "not in"))
BOUNDARIES = frozenset((("<", "<="), ("<=", "<"), (">", ">="), (">=", ">")))
LOGIC = frozenset(("and", "or", "&&", "||"))
OPERATIONS = frozenset(
    (
        *("comparison_operator", "boolean_operator", "binary_operator", "augmented_assignment"),
        *("binary_expression", "augmented_assignment_expression", "compound_assignment_expr"),
        *("assignment_statement", "assignment_expression"),
    )
)
"""Nodes that hold an operator between two operands."""
TEXTUAL = re.compile(
    r"string|template|char_literal|character_literal|rune_literal|(?<!expression_)list$|tuple$|array$|regex"
)
"""Types of operands for which `+`, `%` and the like are no arithmetic."""
LOGGING = re.compile(
    r"(^|\.)_?(log|logger|logging|console|slog|glog|klog|tracing|warnings|syslog|System\.(out|err)|fmt\.F?[Pp]rint\w*)\."
    r"|^(print|println|printf|pprint|debug|trace)$|^fmt\.F?Print|^_?(log|logger)\b",
    re.IGNORECASE,
)
"""Callees whose calls only tell what happens."""
MESSAGES = re.compile(r"^(errors\.New|fmt\.Errorf|panic|require|import|super|(time\.)?sleep|setTimeout|setInterval)$")
"""Callees whose arguments are words or waiting times."""
INEXACT = re.compile(
    r"timeout|delay|sleep|interval|backoff|version|seed|indent|buffer|chunk|cache|port$|width|height|epsilon|retries|uid$"
    r"|^__\w+__$",
    re.IGNORECASE,
)
"""Names whose numbers no test should pin down."""


@dataclass(frozen=True)
class Dialect:
    """The node types of one grammar."""

    left_alone: frozenset[str]
    """Never looked into: types, imports, annotations, comments."""
    not_operators: tuple[str, ...] = ("not_operator",)
    """Nodes that turn their one operand around."""
    conditions: dict[str, str] = field(default_factory=dict)
    """Node type → its field with a condition."""
    negation: str = "!"
    calls: frozenset[str] = frozenset(("call_expression",))
    atoms: frozenset[str] = frozenset(("identifier", "call_expression", "member_expression"))
    """Conditions that are turned around whole: what has no operator of its own."""
    truths: dict[str, str] = field(default_factory=lambda: {"true": "false", "false": "true"})
    numbers: frozenset[str] = frozenset(("number",))
    labels: frozenset[str] = frozenset()
    """Nodes whose constants must differ from one another: cases of a switch."""
    names: dict[str, str] = field(default_factory=dict)
    """Node type → its field with the name that a constant directly in it is known by."""
    removal: str = "if (false) {{ {} }}"
    """What a removed statement becomes: still compiled, never run."""
    throws: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    """What may be assigned to in a statement that is removed: fields and elements, which exist all the same."""
    has_removable_throws: bool = True
    """Whether code compiles without a throw at its end."""


_PYTHON = Dialect(
    left_alone=frozenset(
        (
            *("comment", "type", "decorator", "import_statement", "import_from_statement", "future_import_statement"),
            *("assert_statement", "type_alias_statement", "format_specifier", "case_pattern", "type_parameter"),
        )
    ),
    conditions={"if_statement": "condition", "elif_clause": "condition", "while_statement": "condition"},
    negation="not ",
    calls=frozenset(("call",)),
    atoms=frozenset(("identifier", "call", "attribute", "subscript", "await")),
    truths={"true": "False", "false": "True"},
    numbers=frozenset(("integer", "float")),
    names={
        "assignment": "left",
        "keyword_argument": "name",
        "default_parameter": "name",
        "typed_default_parameter": "name",
        "pair": "key",
    },
    removal="pass",
    throws=frozenset(("raise_statement",)),
    targets=frozenset(("attribute", "subscript")),
)
_JAVASCRIPT = Dialect(
    left_alone=frozenset(
        (
            *("comment", "import_statement", "type_annotation", "type_arguments", "type_parameters", "decorator"),
            *("interface_declaration", "type_alias_declaration", "ambient_declaration", "enum_declaration"),
            *("literal_type", "union_type", "regex", "jsx_opening_element", "as_expression", "html_comment"),
        )
    ),
    not_operators=("unary_expression",),
    conditions={
        "if_statement": "condition",
        "while_statement": "condition",
        "do_statement": "condition",
        "ternary_expression": "condition",
    },
    atoms=frozenset(("identifier", "call_expression", "member_expression", "subscript_expression", "await_expression")),
    labels=frozenset(("switch_case",)),
    names={"variable_declarator": "name", "pair": "key", "assignment_expression": "left", "assignment_pattern": "left"},
    removal=";",
    throws=frozenset(("throw_statement",)),
    targets=frozenset(("member_expression", "subscript_expression")),
)
_GO = Dialect(
    left_alone=frozenset(
        (
            *("comment", "import_declaration", "package_clause", "type_declaration", "parameter_list"),
            *("array_type", "slice_type", "map_type", "type_arguments"),
        )
    ),
    not_operators=("unary_expression",),
    conditions={"if_statement": "condition"},
    atoms=frozenset(("identifier", "call_expression", "selector_expression", "index_expression")),
    numbers=frozenset(("int_literal", "float_literal")),
    labels=frozenset(("expression_case",)),
    names={"keyed_element": "key", "var_spec": "name", "const_spec": "name", "short_var_declaration": "left"},
    removal="if false {{ {} }}",
    targets=frozenset(("selector_expression", "index_expression")),
)
_JAVA = Dialect(
    left_alone=frozenset(
        (
            *("line_comment", "block_comment", "import_declaration", "package_declaration", "annotation"),
            *("marker_annotation", "assert_statement", "formal_parameters", "type_arguments", "enum_body"),
        )
    ),
    not_operators=("unary_expression",),
    conditions={
        "if_statement": "condition",
        "while_statement": "condition",
        "do_statement": "condition",
        "ternary_expression": "condition",
    },
    calls=frozenset(("method_invocation",)),
    atoms=frozenset(("identifier", "method_invocation", "field_access", "array_access")),
    numbers=frozenset(("decimal_integer_literal", "decimal_floating_point_literal")),
    labels=frozenset(("switch_label",)),
    names={"variable_declarator": "name"},
    throws=frozenset(("throw_statement",)),
    targets=frozenset(("field_access", "array_access")),
    has_removable_throws=False,
)
_RUST = Dialect(
    left_alone=frozenset(
        (
            *("line_comment", "block_comment", "attribute_item", "inner_attribute_item", "use_declaration"),
            *("parameters", "array_type", "type_arguments", "where_clause", "macro_invocation", "match_pattern"),
            *("const_parameter", "enum_item", "struct_item", "trait_bounds", "let_condition", "range_pattern"),
        )
    ),
    not_operators=("unary_expression",),
    conditions={"if_expression": "condition", "while_expression": "condition"},
    atoms=frozenset(("identifier", "call_expression", "field_expression", "index_expression")),
    truths={"boolean_literal": ""},
    numbers=frozenset(("integer_literal", "float_literal")),
    names={"let_declaration": "pattern", "field_initializer": "field", "const_item": "name", "static_item": "name"},
    removal="if false {{ {} }}",
    targets=frozenset(("field_expression", "index_expression")),
)
DIALECTS = {
    "python": _PYTHON,
    "javascript": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "tsx": _JAVASCRIPT,
    "go": _GO,
    "java": _JAVA,
    "rust": _RUST,
}
