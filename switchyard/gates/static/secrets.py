"""Secrets in what a change adds: keys, tokens and passwords by their form and by what they are called."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from switchyard.gates.change import Change
from switchyard.gates.static.secret_kinds import assigned_values, formed_secrets
from switchyard.gates.static.secret_places import paired_values, placed_values
from switchyard.gates.static.text import MOST_READ, NewText, decode
from switchyard.packets import GateFinding, GateResult

GATE = "secrets"
_WINDOW = 2_000
"""Characters looked at together where a line is longer: what looks for forms takes time that grows with its square."""
_OVERLAP = 400
_TELLING = re.compile(
    r"pass|pwd|secret|contrase|cred|(?:api|auth|service|account|db|database|priv|private|client|access|encryption|signing)[_-]?key|token|_auth|\bcurl\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"""(?i:\b[\w.-]{0,60}(?:token|credential|secret|passw(?:or)?d|(?:api|auth|access|private|client|signing|encryption)_?key)"""
    r"""[\w-]{0,20})["'\]]{0,2}(?:\s{0,9}:?\s{0,9}(?:&\s?)?(?:'static\s)?(?i:string|str)\b)?\s{0,9}(?::=|=>|=|:)\s{0,9}"""
    r"""(["'`])([A-Za-z0-9+/_.=~-]{16,300})\1"""
)
_BARE = re.compile(
    r"^\s*(?:export\s+|set\s+|ENV\s+|ARG\s+)?[\w.-]{0,60}(?:PASS|PASSWORD|PASSWD|PWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY)[\w.-]{0,20}\s{0,9}"
    r"[=:]\s{0,9}([^\s\"'`#$<{(\[]{8,300})(?:\s+#.{0,200})?\s*$",
    re.IGNORECASE,
)
_SETTINGS = re.compile(
    r"(^|/)(\.env[\w.-]*|[^/]*\.(env|ini|cfg|conf|properties|ya?ml|toml|tfvars|sh|npmrc|pypirc|netrc)|Dockerfile[^/]*)$",
    re.I,
)
_NO_SECRET = re.compile(
    r"example|sample|changeme|change[_-]me|placeholder|dummy|fake|mock|your|insert|replace|redact|todo|fixme|xxx|\*\*\*|\.\.\.|…"
    r"|1234567|abcdef|qwerty|deadbeef|cafebabe|lorem|foo|bar|baz|not[_-]?(?:a|so|real)|password|passwd|secret|invalid|wrong|test"
    r"|^<|>$|[$%#]\{|\{\{|\{[a-z_.]*\}|^\$|%\(|%s|process\.env|os\.environ|getenv|^env[.:(]|^(?:https?|file|arn|urn):|^none$|^null$|^true$|^false$",
    re.IGNORECASE,
)
_STUB = re.compile(
    r"EXAMPLE|example|XXXX|xxxx|0000000|1111111|12345678|[Yy]our|YOUR|\.\.\.|\*\*\*|<|\$\{|\{\{|\babc123\b|(?i:placeholder|redacted|dummy|fake)|^\$|^%|\{[a-zA-Z_.]*\}"
)
_CALL = re.compile(r"\s|^[\w.]+[(\[]")
_WORDS = re.compile(r"[A-Za-z]+(?:[._:/ -][A-Za-z]+)*[:.]?")
_NUMBERED_WORDS = re.compile(r"(?:[A-Za-z]+\d{0,2}|\d{1,2}|v\d+)(?:[._:/-](?:[A-Za-z]+\d{0,2}|\d{1,2}|v\d+))*")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ENCODED = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{24,4000}={0,2}")
_ESCAPED = re.compile(r"(?:\\x[0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}|\\u\{[0-9A-Fa-f]{2}\}){16,1000}")
_NUMBERS = re.compile(r"(?<!\d)(?:(?:0x[0-9A-Fa-f]{2}|\d{2,3})\s{0,3},\s{0,20}){15,400}(?:0x[0-9A-Fa-f]{2}|\d{2,3})")
_PRINTABLE = re.compile(rb"[\x20-\x7e]{16,}")
_TEST_PATH = re.compile(
    r"(^|[/_.-])(tests?|testing|testdata|spec|specs|__tests__|fixtures?|examples?|samples?|docs?|mocks?|demo)([/_.-]|$)|(Test|Tests|IT)\.\w+$",
    re.I,
)
_LOCK = re.compile(
    r"(^|/)([^/]*\.(lock|sum|lockb|svg|map)|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|packages\.lock\.json)$",
    re.I,
)
_PLAIN_PASSWORDS = frozenset(("password in an address", "authorization header", "Basic Auth Credentials"))


def find_secrets(change: Change, texts: Sequence[NewText]) -> GateResult:
    """Whether the change adds a secret; none is ever quoted."""
    known = "\n".join(decode(file.before) for file in change.files)
    findings: dict[tuple[str, int], GateFinding] = {}
    for text in texts:
        for line, kind in sorted(_secrets_of(text, known)):
            title = f"a secret was added: {kind}; take it out, and read it from the environment"
            findings.setdefault((text.path, line), GateFinding(title=title, asks="repair", path=text.path, line=line))
    for file in change.files:
        if file.after and file.is_binary:
            found = {kind for kind, value in _in_binary(file.after) if value not in known}
            for kind in sorted(found):
                title = f"a binary file holds a secret: {kind}"
                findings.setdefault((file.path, 0), GateFinding(title=title, asks="repair", path=file.path))
    unread = [_unread(file.path) for file in change.files if _is_too_long(file.size_after, file.after)]
    lines = sum(len(text.lines) for text in texts)
    if not texts and not findings and not unread:
        return GateResult.skipped(GATE, "no text was added")
    return GateResult.of(GATE, [*findings.values(), *unread], f"{len(findings)} in {lines} added lines")


def _is_too_long(size: int, content: bytes | None) -> bool:
    return (content is None and size > 0) or len(content or b"") > MOST_READ


def _unread(path: str) -> GateFinding:
    return GateFinding(title="too long to be searched for secrets in whole", asks="person", path=path)


def _secrets_of(text: NewText, known: str) -> set[tuple[int, str]]:
    found: dict[int, str] = {}
    for offset, kind, value in _by_form(text):
        if value not in known and not _is_stub(kind, value, text.path):
            found.setdefault(text.line_at(offset), kind)
    if not _LOCK.search(text.path):
        for line in text.lines:
            if line.number not in found and _is_assigned(text.path, line.text, known):
                found[line.number] = "a value of a telling name"
        for start, part in _windows(text.whole):
            for at, value in paired_values(part):
                if _is_secret(text.path, value) and value not in known:
                    found.setdefault(text.line_at(start + at), "a value of a telling name")
    return set(found.items())


def _by_form(text: NewText) -> Iterator[tuple[int, str, str]]:
    """Place in the new text, kind and value, in the text as it is, unbroken, and decoded."""
    for start, part in _windows(text.whole):
        for at, kind, value in formed_secrets(part):
            yield start + at, kind, value
    unbroken, places = text.unbroken
    for start, part in _windows(unbroken if len(unbroken) != len(text.whole) else ""):
        for at, kind, value in formed_secrets(part):
            if value not in text.whole:
                yield places[start + at], kind, value
    if not _LOCK.search(text.path):
        yield from _by_decoded_form(unbroken, places)


def _by_decoded_form(unbroken: str, places: Sequence[int]) -> Iterator[tuple[int, str, str]]:
    for form, decode_by in ((_ENCODED, _decoded), (_ESCAPED, _unescaped), (_NUMBERS, _from_numbers)):
        yield from _by_code(form, decode_by, unbroken, places)


def _by_code(
    form: re.Pattern[str], decode_by: Callable[[str], Iterator[str]], unbroken: str, places: Sequence[int]
) -> Iterator[tuple[int, str, str]]:
    for match in form.finditer(unbroken):
        for decoded in decode_by(match[0]):
            for _, kind, _value in formed_secrets(decoded):
                if kind != "JSON Web Token":
                    yield places[match.start()], f"{kind}, encoded", match[0]


def _windows(text: str) -> Iterator[tuple[int, str]]:
    """The text in pieces of whole lines; a long line in pieces that overlap."""
    at = 0
    while at < len(text):
        end = min(len(text), at + 20 * _WINDOW)
        if end < len(text):
            line_end = text.rfind("\n", at, end)
            end = line_end + 1 if line_end > at else end
        piece = text[at:end]
        if max(map(len, piece.split("\n"))) <= _WINDOW:
            yield at, piece
        else:
            for start in range(at, end, _WINDOW - _OVERLAP):
                yield start, text[start : min(start + _WINDOW, end)]
        at = end


def _decoded(token: str) -> Iterator[str]:
    if re.fullmatch(r"[0-9a-fA-F]+", token) and len(token) % 2 == 0:
        candidates = [bytes.fromhex(token)]
    else:
        try:
            plain = token.rstrip("=").replace("-", "+").replace("_", "/")
            candidates = [base64.b64decode(plain + "=" * (-len(plain) % 4))]
        except (binascii.Error, ValueError):
            return
    for content in candidates:
        if _PRINTABLE.match(content) and all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in content):
            text = content.decode("ascii")
            yield text
            if _ENCODED.fullmatch(text) and len(text) < len(token):
                yield from _decoded(text)


def _unescaped(text: str) -> Iterator[str]:
    yield "".join(chr(int(code, 16)) for code in re.findall(r"\\(?:x|u00|u\{)([0-9A-Fa-f]{2})", text))


def _from_numbers(text: str) -> Iterator[str]:
    numbers = [int(number.strip(), 0) for number in re.sub(r"\b0+(?=\d)", "", text).split(",")]
    if all(9 <= number < 127 for number in numbers):
        yield "".join(map(chr, numbers))


def _in_binary(content: bytes) -> Iterator[tuple[str, str]]:
    for run in _PRINTABLE.findall(content[:MOST_READ]):
        for _, part in _windows(run.decode("ascii")):
            yield from ((kind, value) for _, kind, value in formed_secrets(part) if not _is_stub(kind, value, ""))


def _is_stub(kind: str, value: str, path: str) -> bool:
    """Whether what has the form of a secret is there to show the form."""
    if "rivate" in kind or kind.endswith("encoded"):
        return False
    if kind in _PLAIN_PASSWORDS:
        return (
            bool(_NO_SECRET.search(value))
            or len(set(value)) < 4
            or (bool(_TEST_PATH.search(path)) and _strength(value) < 3.5)
        )
    if kind == "JSON Web Token" and _TEST_PATH.search(path):
        return True
    return bool(_STUB.search(value)) or len(set(value[-16:])) < 5


def _is_assigned(path: str, line: str, known: str) -> bool:
    if len(line) > _WINDOW or not (_TELLING.search(line) or path.endswith("pgpass")):
        return False
    return any(_is_secret(path, value) and value not in known for value in _assigned(path, line))


def _assigned(path: str, line: str) -> Sequence[str]:
    in_settings = bool(_SETTINGS.search(path))
    bare = _BARE.match(line) if in_settings else None
    placed = placed_values(line, in_settings=in_settings, is_pgpass=path.endswith("pgpass"))
    tokens = [match[2] for match in _TOKEN.finditer(line) if _strength(match[2]) >= 3.5 and _is_mixed(match[2])]
    return [*assigned_values(path, line), *tokens, *placed, *([bare[1]] if bare else [])]


def _is_secret(path: str, value: str) -> bool:
    value = value.strip().strip("\"'`,;")
    if not 8 <= len(value) <= 300 or _CALL.search(value) or _NO_SECRET.search(value):
        return False
    if _WORDS.fullmatch(value) or _UUID.fullmatch(value) or len(set(value)) < 5:
        return False
    if _TEST_PATH.search(path):
        return len(value) >= 20 and _strength(value) >= 3.7 and _is_mixed(value)
    return _is_mixed(value) and _strength(value) >= 2.7


def _is_mixed(value: str) -> bool:
    """Whether letters stand among digits or signs, as they do in no word and no name of a variable."""
    return bool(re.search(r"[A-Za-z]", value)) and bool(re.search(r"[0-9!@#$%^&*?+=~]", value)) and not _is_name(value)


def _is_name(value: str) -> bool:
    """`user.password2`, `auth/v2/token`, `my-secret-1`: words with a number at most at their ends, in no wild case."""
    humps = len(re.findall(r"[a-z][A-Z]", value))
    return humps <= max(len(value) / 5, 1) and bool(_NUMBERED_WORDS.fullmatch(value))


def _strength(value: str) -> float:
    """Shannon's entropy of the characters, in bits each."""
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values()) if value else 0.0
