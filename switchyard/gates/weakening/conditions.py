"""A boolean expression that a test holds to be true, taken apart into claims."""

from __future__ import annotations

from switchyard.gates.weakening.model import Claim, Tokens
from switchyard.gates.weakening.tokens import (
    chain_of,
    is_constant,
    is_literal,
    is_name,
    number_of,
    split_top,
    string_value,
    walk_top,
    without_parentheses,
    words_of,
)

_MAX_TOKENS = 3000
"""A longer condition is taken as a whole."""
_EQUALS = {"==": True, "===": True, "is": True, "!=": False, "!==": False, "is not": False}
_ORDERED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATORS = (*_EQUALS, *_ORDERED, "in", "not in", "instanceof")
_CONTAINS = words_of(
    "includes contains Contains has contains_key containsKey ContainsAny ContainsRune containsExactly"
    " issubset issuperset"
)
_STARTS_OR_ENDS = words_of("startswith endswith startsWith endsWith starts_with ends_with HasPrefix HasSuffix")
_EQUAL_CALLS = words_of("equals Equal DeepEqual eq equalsIgnoreCase EqualFold array_equal is_same")
_CLOSE_CALLS = words_of("isclose allclose is_close approx_eq abs_diff_eq relative_eq almost_equal approximately")
_MATCHES = words_of("matches MatchString match fullmatch search test is_match")
_VARIANTS = words_of("is_ok is_some is_err is_none isPresent isEmpty is_empty isOk isErr")
_TYPES = words_of("isinstance issubclass callable hasattr")
_LENGTHS = words_of("len length size count Len Size")
_EXPECTED_WORDS = ("expect", "want", "golden", "should", "reference")
MATCHES_ALL = frozenset(("", ".", ".*", ".+", "^.*$", "(?s).*", "[\\s\\S]*"))


def claims_of_condition(tokens: Tokens, line: int, *, holds: bool = True) -> list[Claim]:
    """What is claimed by saying that a condition holds, or that it doesn't."""
    if len(tokens) > _MAX_TOKENS:
        return [Claim("truth", tokens, line=line)]
    tokens = without_parentheses(tokens)
    if not tokens:
        return []
    joined, other = (("and", "&&"), ("or", "||")) if holds else (("or", "||"), ("and", "&&"))
    pieces = split_top(tokens, joined)
    if len(pieces) > 1:
        return [claim for piece in pieces for claim in claims_of_condition(piece, line, holds=holds)]
    if len(split_top(tokens, other)) > 1:
        return [Claim("either", tokens, () if holds else ("not",), line=line)]
    if tokens[0] == "not":
        return claims_of_condition(tokens[1:], line, holds=not holds)
    compared = _comparison(tokens, line, holds)
    if compared is not None:
        return [compared]
    if tokens[0] == "!":
        return claims_of_condition(tokens[1:], line, holds=not holds)
    return _predicate(tokens, line, holds)


def equality(left: Tokens, right: Tokens, line: int, *, holds: bool = True) -> Claim:
    """The claim that two things are equal, whichever side the expected one was written on."""
    if holds:
        for subject, expected in ((left, right), (right, left)):
            approximate = chain_of(expected)
            if approximate and approximate[-1][0] == "approx" and approximate[-1][1]:
                return approximation(subject, approximate[-1][1], line)
    subject, expected = orient(left, right)
    if expected[:2] == ("Boolean", "."):
        expected = (expected[2].lower(),)
    if expected in (("True",), ("true",), ("False",), ("false",)):
        agrees = (expected[0].lower() == "true") is holds
        return Claim("truth" if agrees else "falsy", subject, line=line)
    if expected in (("None",), ("nil",), ("null",), ("undefined",)):
        return Claim("equal", subject, ("None",), line=line) if holds else Claim("present", subject, line=line)
    measured = _measured(subject)
    if measured is not None and holds:
        return Claim("length", measured, expected, line=line)
    if not holds and measured is not None and expected == ("0",):
        return Claim("length_bound", measured, (">", "0"), line=line)
    return Claim("equal" if holds else "unequal", subject, expected, line=line)


def approximation(subject: Tokens, arguments: list[Tokens], line: int, unit: str = "delta") -> Claim:
    """Closeness to the first argument; the others are tolerances, named or meant in `unit`."""
    expected, *rest = arguments
    options = []
    for argument in rest:
        named = len(argument) > 2 and argument[1] in ("=", ":")
        options.append((argument[0], " ".join(argument[2:])) if named else (unit, " ".join(argument)))
    return Claim("close", subject, expected, tuple(sorted(options)), line=line)


def orient(left: Tokens, right: Tokens) -> tuple[Tokens, Tokens]:
    """(what is looked at, what it ought to be)."""
    return (right, left) if _weight(left) < _weight(right) else (left, right)


def is_tautology(claim: Claim) -> bool:
    """Whether the claim holds of anything."""
    subject, expected = claim.subject, claim.expected
    match claim.relation:
        case "truth" | "truthy" | "present":
            return is_constant(subject) and subject not in (("False",), ("false",), ("0",), ("None",), ("null",))
        case "falsy":
            return subject in (("False",), ("false",), ("0",), ("None",), ("null",))
        case "equal" | "close" | "contains":
            return subject == expected or (is_constant(subject) and is_constant(expected))
        case "bound":
            return subject == expected[1:] and expected[0] in (">=", "<=")
        case "length_bound":
            return expected in ((">=", "0"), (">", "-", "1"))
        case "matches":
            return string_value(expected) in MATCHES_ALL
        case "either":
            separators, wanted = (("and", "&&"), False) if expected else (("or", "||"), True)
            return any(is_certain(piece, wanted) for piece in split_top(without_parentheses(subject), separators))
        case _:
            return False


def is_certain(tokens: Tokens, holds: bool) -> bool:
    """Whether a condition can be seen always to hold, or never to."""
    claims = claims_of_condition(tokens, 0, holds=holds)
    return bool(claims) and all(map(is_tautology, claims))


def _comparison(tokens: Tokens, line: int, holds: bool) -> Claim | None:
    for index, leaf in walk_top(tokens):
        if leaf in _OPERATORS and 0 < index < len(tokens) - 1:
            operator, left, right = leaf, tokens[:index], tokens[index + 1 :]
            if operator == "is" and right[0] == "not":
                operator, right = "is not", right[1:]
            if operator == "not" and right[0] == "in":
                operator, right = "not in", right[1:]
            return _compared(left, operator, right, line, holds)
        if leaf == "not" and tokens[index + 1 : index + 2] == ("in",):
            return _compared(tokens[:index], "not in", tokens[index + 2 :], line, holds)
    return None


def _compared(left: Tokens, operator: str, right: Tokens, line: int, holds: bool) -> Claim:
    if operator in _EQUALS:
        return equality(left, right, line, holds=_EQUALS[operator] is holds)
    if operator == "instanceof":
        return Claim("type", left, right, line=line)
    if operator in ("in", "not in"):
        return Claim("contains" if (operator == "in") is holds else "excludes", right, left, line=line)
    if not holds:
        operator = _ORDERED[operator]
    if _weight(left) < _weight(right):
        left, right, operator = right, left, _MIRRORED[operator]
    measured = _measured(left)
    if measured is not None and number_of(right) in (0, 1, -1) and operator in (">", ">="):
        return Claim("length_bound", measured, (operator, *right), line=line)
    return Claim("bound", left, (operator, *right), line=line)


def _predicate(tokens: Tokens, line: int, holds: bool) -> list[Claim]:
    plain = Claim("truth" if holds else "falsy", tokens, line=line)
    links = chain_of(tokens)
    if not links or links[-1][1] is None:
        return [plain]
    name, arguments = links[-1][0], links[-1][1] or []
    head = _head(tokens)
    if name in _VARIANTS and head:
        return [Claim("variant", head, (name if holds else f"not {name}",), line=line)]
    if name == "matches" and len(arguments) == 2 and len(links) == 1:
        return [Claim("pattern" if holds else "unequal", arguments[0], arguments[1], line=line)]
    is_method = len(arguments) == 1 and len(links) > 1 and not _is_namespace(head)
    operands = [head, *arguments] if is_method else arguments
    if len(operands) < 2:
        return [plain]
    if name in _EQUAL_CALLS or (links[0][0] == "errors" and name in ("Is", "As")):
        return [equality(operands[0], operands[1], line, holds=holds)]
    if name in _CONTAINS:
        return [Claim("contains" if holds else "excludes", operands[0], operands[1], line=line)]
    return [(_positive_predicate(name, operands, line) if holds else None) or plain]


def _positive_predicate(name: str, operands: list[Tokens], line: int) -> Claim | None:
    first, second = operands[:2]
    subject, expected = orient(first, second)
    if name in _CLOSE_CALLS:
        return approximation(subject, [expected, *operands[2:]], line)
    if name in _STARTS_OR_ENDS:
        return Claim("starts_or_ends", first, (name, *second), line=line)
    if name in _MATCHES:
        return Claim("matches", subject, expected, line=line)
    return Claim("type", first, second, line=line) if name in _TYPES else None


def _head(tokens: Tokens) -> Tokens:
    """What the last method of a chain is called on."""
    cut = max((index for index, leaf in walk_top(tokens) if leaf in (".", "::", "?.")), default=0)
    return tokens[:cut]


def _is_namespace(tokens: Tokens) -> bool:
    """Whether functions are called on it as on a module: `strings`, `np`, `re`, `reflect`, `Objects`, `Arrays`."""
    return len(tokens) == 1 and tokens[0] in {
        "strings", "bytes", "np", "numpy", "re", "regexp", "reflect", "Objects", "Arrays", "slices", "math", "errors",
        "torch", "cmp", "maps", "lodash", "_",
    }  # fmt: skip


def _measured(tokens: Tokens) -> Tokens | None:
    """X of `len(X)`, `X.length` or `X.size()`."""
    if tokens[:2] == ("len", "(") and tokens[-1] == ")":
        return tokens[2:-1]
    if len(tokens) > 2 and tokens[-2] == "." and tokens[-1] in ("length", "size"):
        return tokens[:-2]
    if len(tokens) > 4 and tokens[-2:] == ("(", ")") and tokens[-3] in _LENGTHS and tokens[-4] == ".":
        return tokens[:-4]
    return None


def _weight(tokens: Tokens) -> int:
    """How little a side looks like an expected value."""
    if is_constant(tokens) or tokens in (("[", "]"), ("{", "}"), ("(", ")")):
        return 0
    names = [leaf for leaf in tokens if is_name(leaf)]
    if names and any(names[-1].lower().startswith(word) for word in _EXPECTED_WORDS):
        return 1
    if names and (names[0].isupper() or any(map(is_literal, tokens))) and tokens[-1] != ")":
        return 2
    if not tokens:
        return 3
    if tokens[0] in ("new", "&", "vec", "Some", "Ok", "Err") or (
        tokens[0][:1].isupper() and tokens[1:2] in (("(",), ("{",))
    ):
        return 2
    return 4 if "(" in tokens else 3
