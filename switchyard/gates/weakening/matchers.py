"""The vocabulary of assertion libraries: which call claims what."""

from __future__ import annotations

from switchyard.gates.weakening.conditions import approximation, claims_of_condition, equality, orient
from switchyard.gates.weakening.model import Claim, Tokens
from switchyard.gates.weakening.tokens import Link, is_name, is_number, is_string
from switchyard.gates.weakening.vocabulary import (
    BOUNDS,
    CALLED,
    CALLED_TIMES,
    CALLED_WITH,
    CLOSE,
    CONTAINS,
    DIGITS,
    EMPTY,
    ENDS,
    EXCLUDES,
    EXPECTED_FIRST,
    FALSE,
    FALSY,
    FILLERS,
    HELPERS,
    LENGTH,
    MATCHES,
    NO_RAISE,
    NOT_EMPTY,
    NULL,
    OF_ERRORS,
    PAIRS,
    PATTERN,
    PRESENT,
    RAISES,
    ROOTS,
    SNAPSHOT,
    TRUE,
    TRUTHY,
    TYPE,
    UNCALLED,
    UNEQUAL,
    VERIFIERS,
)

Arguments = list[Tokens]


def squeeze(name: str) -> str:
    """`assert_called_once_with`, `assertEquals` and `ToEqual` in one spelling; Go's `Equalf` loses its f elsewhere."""
    return name.replace("_", "").lower()


def is_helper(name: str) -> bool:
    """Whether a function is named as one that asserts: `assertValid`, `check_total`, `mustEqual`."""
    plain = name.lstrip("_")
    for word in HELPERS:
        if plain.lower().startswith(word):
            rest = plain[len(word) :]
            return not rest or rest[0] in "_0123456789!" or rest[0].isupper()
    return False


def is_matcher(name: str) -> bool:
    return any(_known(squeeze(name)) in words for words in _VOCABULARY)


def claims_of_matcher(name: str, subject: Tokens | None, arguments: Arguments, line: int) -> list[Claim]:
    """What one call claims.

    Args:
        name: Of the call, as written.
        subject: What a chain's root holds, or a mock; None where the arguments hold it.
        arguments: Of the call, without a leading `t`.
        line: Where it stands.
    """
    known = _known(squeeze(name))
    operands = [subject, *arguments] if subject is not None else _without_message(arguments)
    first = operands[0] if operands else ()
    rest = operands[1:]
    if known in BOUNDS and rest:
        left, right = (rest[0], first) if subject is None and _reads_backwards(first, rest[0]) else (first, rest[0])
        return [Claim("bound", left, (BOUNDS[known], *right), line=line)]
    if known in CLOSE and rest:
        left, right = orient(first, rest[0])
        return [approximation(left, [right, *rest[1:]], line, "digits" if known in DIGITS else "delta")]
    if subject is None and rest and name.rstrip("f") in EXPECTED_FIRST:
        first, rest = rest[0], [first, *rest[1:]]
    for words, build in _BUILDERS:
        if known in words:
            return build(first, rest, line)
    for words, relation in _RELATIONS:
        if known in words:
            return [Claim(relation, first, tuple(leaf for item in rest for leaf in (*item, ",")), line=line)]
    return [Claim("helper", (name, *first), tuple(leaf for item in rest for leaf in (*item, ",")), line=line)]


def claims_of_chain(links: list[Link], line: int) -> list[Claim]:
    """The claims of `expect(x).not.toBe(y)`, `assertThat(x).isEqualTo(y).hasSize(3)`, `verify(mock).save(x)`."""
    start = next(index for index, (name, _) in enumerate(links) if name in ROOTS or name in VERIFIERS)
    root, found = links[start]
    subject: Tokens = found[0] if found else ()
    if root in OF_ERRORS:
        subject = ("raised",)
    if root in VERIFIERS:
        return _verification(root, found or [], links[start + 1 :], line)
    claims = _links_claims(root, subject, links[start + 1 :], line)
    if len(links) == start + 2 and found and len(found) > 1 and not claims:
        claims = claims_of_condition(found[0], line)
    if root in OF_ERRORS:
        claims.append(Claim("raises", ("raised",), (), line=line))
    return claims or ([_that(found, line)] if found and len(found) >= 2 else [])


def _links_claims(root: str, subject: Tokens, links: list[Link], line: int) -> list[Claim]:
    claims: list[Claim] = []
    negated = False
    for name, arguments in links:
        if name in ("assertions", "hasAssertions"):
            continue
        if name == "that" and arguments and root in ("assertWithMessage", "that"):
            subject = arguments[0]
            continue
        if name in ("not", "Not", "never", "ToNot", "NotTo", "ShouldNot"):
            negated = not negated
        if arguments and name in ("To", "Should", "ToNot", "NotTo", "ShouldNot", "that", "satisfies"):
            claims += _matcher_object(arguments[0], subject, negated, line)
        elif (arguments is not None or is_matcher(name)) and (arguments or name.lower() not in FILLERS):
            found = claims_of_matcher(name, subject, arguments or [], line)
            claims += [_negate(claim) for claim in found] if negated else found
    return claims


def _that(arguments: Arguments, line: int) -> Claim:
    """Hamcrest: `assertThat(x, is(equalTo(y)))`."""
    return Claim(
        "equal" if "equalTo" in arguments[-1] or "is" in arguments[-1] else "helper",
        arguments[0],
        arguments[-1],
        line=line,
    )


def _matcher_object(matcher: Tokens, subject: Tokens, negated: bool, line: int) -> list[Claim]:
    """Gomega: `Expect(x).To(Equal(y))`."""
    names = [index for index, leaf in enumerate(matcher) if is_name(leaf) and matcher[index + 1 : index + 2] == ("(",)]
    if not names:
        return [Claim("helper", subject, matcher, line=line)]
    inner = matcher[names[0] + 2 : -1]
    claims = claims_of_matcher(matcher[names[0]], subject, [inner] if inner else [], line)
    return [_negate(claim) for claim in claims] if negated else claims


def _verification(root: str, arguments: Arguments, calls: list[Link], line: int) -> list[Claim]:
    """Mockito: which calls a stand-in got, and how often."""
    mock = arguments[0] if arguments else ()
    if root.startswith("verifyNo"):
        return [Claim("uncalled", mock, line=line)]
    times = arguments[1] if len(arguments) > 1 else ("times", "(", "1", ")")
    if not calls:
        return [Claim("helper", (root, *mock), line=line)]
    name, given = calls[-1]
    called = tuple(leaf for item in given or [] for leaf in (*item, ","))
    if times[0] in ("never", "Mockito") and "never" in times:
        return [Claim("uncalled", (*mock, ".", name), line=line)]
    options = () if times == ("times", "(", "1", ")") else (("times", " ".join(times)),)
    return [Claim("called_with", (*mock, ".", name), called, options, line=line)]


def _negate(claim: Claim) -> Claim:
    relation = _OPPOSITES.get(claim.relation, claim.relation)
    if relation == "equal" and claim.relation == "present":
        return Claim("equal", claim.subject, ("None",), line=claim.line)
    if claim.relation == "equal" and claim.expected == ("None",):
        return Claim("present", claim.subject, line=claim.line)
    if relation == claim.relation:
        return Claim(relation, ("not", *claim.subject), claim.expected, claim.options, line=claim.line)
    return Claim(relation, claim.subject, claim.expected, claim.options, line=claim.line)


_OPPOSITES = {
    "equal": "unequal",
    "unequal": "equal",
    "contains": "excludes",
    "excludes": "contains",
    "truth": "falsy",
    "truthy": "falsy",
    "falsy": "truthy",
    "present": "equal",
    "raises": "no_raise",
    "no_raise": "raises",
    "called": "uncalled",
    "called_with": "uncalled",
    "uncalled": "called",
    "length": "length_bound",
    "length_bound": "length",
}


def _pair(first: Tokens, rest: Arguments, line: int) -> list[Claim]:
    if not rest:
        return [Claim("helper", first, line=line)]
    if len(rest) > 1 and _is_delta(rest[1]):
        subject, expected = orient(first, rest[0])
        return [approximation(subject, [expected, rest[1]], line)]
    return [equality(first, rest[0], line)]


def _raises(first: Tokens, rest: Arguments, line: int) -> list[Claim]:
    """The type is one claim, what the message must hold another."""
    operands = [item for item in (first, *rest) if item]
    operands = [item[:-2] if item[-2:] == (".", "class") else item for item in operands]
    types = [item for item in operands if _is_type(item)]
    claims = [Claim("raises", ("raised",), tuple(types[0]) if types else (), line=line)]
    for item in operands:
        text = item[2:] if len(item) > 2 and item[1] in ("=", ":") and item[0] in ("match", "message", "msg") else item
        if (text and (is_string(text[0]) or text[0].startswith("/"))) or (text is not item):
            claims.append(Claim("matches", ("raised",), text, line=line))
        elif text[:1] == ("{",):
            claims.append(Claim("contains", ("raised",), text, line=line))
    return claims


def _is_type(tokens: Tokens) -> bool:
    name = next((leaf for leaf in reversed(tokens) if is_name(leaf) and leaf != "class"), "")
    simple = (len(tokens) <= 5 and "(" not in tokens[1:]) or tokens[:1] == ("(",)
    return simple and (name[:1].isupper() or name.endswith(("error", "Error", "Exception"))) and "=" not in tokens


def _condition(first: Tokens, _rest: Arguments, line: int) -> list[Claim]:
    return claims_of_condition(first, line)


def _no_condition(first: Tokens, _rest: Arguments, line: int) -> list[Claim]:
    return claims_of_condition(first, line, holds=False)


def _null(first: Tokens, _rest: Arguments, line: int) -> list[Claim]:
    return [Claim("equal", first, ("None",), line=line)]


def _present(first: Tokens, _rest: Arguments, line: int) -> list[Claim]:
    return [Claim("present", first, line=line)]


def _empty(first: Tokens, _rest: Arguments, line: int) -> list[Claim]:
    return [Claim("length", first, ("0",), line=line)]


def _not_empty(first: Tokens, _rest: Arguments, line: int) -> list[Claim]:
    return [Claim("length_bound", first, (">", "0"), line=line)]


def _contains(first: Tokens, rest: Arguments, line: int) -> list[Claim]:
    if not rest:
        return [Claim("helper", first, line=line)]
    if len(rest) == 1 and is_string("".join(first[:1])) and not is_string(rest[0][0]):
        first, rest = rest[0], [first]
    return [Claim("contains", first, item, line=line) for item in rest]


_BUILDERS = (
    (TRUE, _condition),
    (FALSE, _no_condition),
    (PAIRS, _pair),
    (RAISES, _raises),
    (NULL, _null),
    (PRESENT, _present),
    (EMPTY, _empty),
    (NOT_EMPTY, _not_empty),
    (CONTAINS, _contains),
)
_RELATIONS = (
    (PATTERN, "pattern"),
    (UNEQUAL, "unequal"),
    (EXCLUDES, "excludes"),
    (MATCHES, "matches"),
    (ENDS, "starts_or_ends"),
    (NO_RAISE, "no_raise"),
    (TYPE, "type"),
    (LENGTH, "length"),
    (SNAPSHOT, "snapshot"),
    (CALLED_WITH, "called_with"),
    (CALLED_TIMES, "called_times"),
    (CALLED, "called"),
    (UNCALLED, "uncalled"),
    (TRUTHY, "truthy"),
    (FALSY, "falsy"),
)
_VOCABULARY = (CLOSE, *(words for words, _ in _BUILDERS), *(words for words, _ in _RELATIONS), frozenset(BOUNDS))


def _known(name: str) -> str:
    """The name in the vocabulary: Go's formatting variants `Equalf` stand for the plain ones."""
    if name.endswith("f") and any(name[:-1] in words for words in _VOCABULARY):
        return name[:-1]
    return name


def _without_message(arguments: Arguments) -> Arguments:
    """JUnit 4 puts the message first; elsewhere it is last and harms nobody."""
    if len(arguments) < 3 or len(arguments[0]) != 1 or not is_string(arguments[0][0]):
        return arguments
    return arguments if is_string(arguments[2][0]) or _is_delta(arguments[2]) else arguments[1:]


def _is_delta(tokens: Tokens) -> bool:
    named = len(tokens) > 2 and tokens[1] in ("=", ":")
    return (named and tokens[0] not in ("msg", "message", "strict")) or (len(tokens) == 1 and is_number(tokens[0])) or (
        len(tokens) == 1 and squeeze(tokens[0]) in ("epsilon", "eps", "delta", "tolerance", "tol")
    )  # fmt: skip


def _reads_backwards(first: Tokens, second: Tokens) -> bool:
    return is_number("".join(first[:1])) and not is_number("".join(second[:1]))
