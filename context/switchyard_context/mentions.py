"""What a text says about code: its words by where they stand, and the names, chains, paths and frames in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from switchyard_context.naming import is_compound, stem_of, stems_in, words_of
from switchyard_context.stop_words import STOP_WORDS, WEAK_WORDS

_HEAD, _TAIL = 100_000, 20_000
"""A text of megabytes is a log: its beginning and its end say what it is about."""
_WEAK = 0.4
_MAX_ORDERED = 3000
_MAX_WORDS, _MAX_NAMES, _MAX_CHAINS, _MAX_PATHS = 400, 300, 200, 100

_EXTENSION = r"\.(?:pyi?|[cm]?[jt]sx?|go|rs|java)\b"
_LONG_RUN = re.compile(r"\S{400,}")
_COMMENT = re.compile(r"<!--.{0,2000}?-->", re.DOTALL)
_BLOB_URL = re.compile(r"https?://[^\s/]+/[^\s/]+/[^\s/]+/(?:blob|tree|raw)/[^\s/]+/([^\s#?)\]>\"']+)")
_URL = re.compile(r"\b(?:https?|ftp)://\S+")
_VERSION_LINE = re.compile(
    r"^[ \t*|>-]{0,20}[\w.@/ -]{1,40}[:=@| ]=?[ \t]{0,20}v?\d+(?:\.\d+)+\S*[ \t]*$", re.MULTILINE
)
_FENCE = re.compile(r"^[ \t]*(```|~~~)[^\n]*\n(.*?)(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
_PROMPT_LINE = re.compile(r"^(?: {4}|\t|[ \t]*>>> |[ \t]*\.\.\. |[ \t]*In \[\d+\]: )(.*)$", re.MULTILINE)
_SPAN = re.compile(r"``([^`\n]{1,200})``|`([^`\n]{1,200})`")
_NAME = re.compile(r"[A-Za-z_$][\w$]{1,63}")
_CALL = re.compile(r"\b([A-Za-z_]\w{1,63})\(")
_CHAIN = re.compile(r"[A-Za-z_]\w*(?:(?:\.|::|#|->)[A-Za-z_]\w*)+")
_PATH = re.compile(rf"(?:[\w@.+~\[\]()$-]+[/\\])+[\w@.+\[\]()-]+|\b[\w@+-][\w@.+-]*{_EXTENSION}")
_FROM_IMPORT = re.compile(r"\bfrom\s+([\w.]+)\s+import\s+\(?([\w ,*\n]+)")
_SCOPE = re.compile(r"^\s*\w+\(([^)]{1,60})\)!?:|^\s*\[?([\w./ -]{2,40})\]?:\s")
_PYTHON_FRAME = re.compile(r"File \"([^\"\n]+)\", line \d+(?:, in (\S+))?")
_PYTEST_FRAME = re.compile(r"^(\S+\.py):\d+: (?:in (\S+))?", re.MULTILINE)
_JAVA_FRAME = re.compile(r"\bat (?:[\w.]+/)?((?:[\w$]+\.)+)([\w$<>]+)\((\w+\.java):\d+\)")
_OTHER_FRAME = re.compile(rf"([\w@./\\+~-]*[\w@+-]+{_EXTENSION}):\d+")


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a stack trace."""

    path: str
    function: str
    depth: int
    """0 is where the trace ends: the place that failed."""


@dataclass(frozen=True)
class Mentions:
    """A text taken apart."""

    words: Mapping[str, float]
    """Stem → weight, of the whole text; words that say nothing about code are left out everywhere."""
    title: Mapping[str, float]
    """The same of the first line."""
    code: Mapping[str, float]
    """The same of what is set as code."""
    stems: tuple[str, ...]
    """The words of the beginning in their order, the others too."""
    written: Mapping[str, str]
    """Stem → the word of the beginning that it was taken from, as it stands first."""
    plain: frozenset[str]
    """Every word of the text as written, in lower case."""
    names: Mapping[str, float]
    """Identifier as written → weight: compound, quoted or called ones weigh more than capitalised words."""
    chains: tuple[tuple[str, ...], ...]
    """`pkg.mod.Class` as its parts."""
    paths: tuple[str, ...]
    frames: tuple[Frame, ...]
    scope: str
    """The part that a subject such as `fix(router): …` or `router: …` puts first."""


def read_mentions(text: str) -> Mentions:
    """Take a text apart; linear in its length."""
    text = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    # Nobody writes words this long, and the patterns below would take a square of their length.
    text = _LONG_RUN.sub(lambda run: run[0][:200], text.replace("\r\n", "\n"))
    text = _COMMENT.sub(" ", text)
    linked = _BLOB_URL.findall(text)
    text = _VERSION_LINE.sub("", _URL.sub(" ", text))
    title = next((line.strip(" #*") for line in text.split("\n") if line.strip(" #*")), "")
    code = "\n".join(_code_of(text))
    frames = tuple(_frames_of(text))
    chains = dict.fromkeys(tuple(re.split(r"\.|::|#|->", chain)) for chain in _chains_of(text))
    paths = dict.fromkeys(found.replace("\\", "/").strip("./") for found in (*linked, *_PATH.findall(text)))
    scope = _SCOPE.match(title)
    ordered = _NAME.findall(text)[:_MAX_ORDERED]
    return Mentions(
        words=_weigh(text),
        title=_weigh(title),
        code=_weigh(code),
        stems=tuple(stem for name in ordered for stem in stems_in(name)),
        written={stem_of(word): word for name in reversed(ordered) for word in reversed(words_of(name))},
        plain=frozenset(word.lower() for word in re.findall(r"[A-Za-z_][\w-]+", text)),
        names=_names_of(text, title, code),
        chains=tuple(chains)[:_MAX_CHAINS],
        paths=tuple(path for path in paths if path)[:_MAX_PATHS],
        frames=frames,
        scope=(scope[1] or scope[2] or "") if scope else "",
    )


def _weigh(text: str) -> dict[str, float]:
    """Word → 1 for one occurrence, and more slowly for more; the most frequent where there are too many."""
    counts: Counter[str] = Counter()
    for name, count in Counter(_NAME.findall(text)).items():
        for stem in stems_in(name):
            counts[stem] += count
    kept = ((word, count) for word, count in counts.items() if len(word) > 1 and word not in _STOP_STEMS)
    ordered = sorted(kept, key=lambda item: (-item[1], item[0]))[:_MAX_WORDS]
    return {word: (1 + count / (count + 2)) * (_WEAK if word in _WEAK_STEMS else 1.0) for word, count in ordered}


_STOP_STEMS = frozenset(stem_of(word) for word in STOP_WORDS)
_WEAK_STEMS = frozenset(stem_of(word) for word in WEAK_WORDS) - _STOP_STEMS


def _code_of(text: str) -> Iterable[str]:
    for match in _FENCE.finditer(text):
        yield match[2]
    for pattern in (_PROMPT_LINE, _SPAN):
        for match in pattern.finditer(text):
            yield match[1] or match[match.lastindex or 0]


def _names_of(text: str, title: str, code: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    quoted = Counter(_NAME.findall(code))
    called = set(_CALL.findall(text))
    titled = set(_NAME.findall(title))
    for name, count in Counter(_NAME.findall(text)).items():
        if stem_of(name.lower()) in _STOP_STEMS and not is_compound(name):
            continue
        weight = 1.0 if is_compound(name) else 0.5 if name in called else 0.3 if name in quoted else 0.0
        if not weight and name[0].isupper():
            weight = 0.15
        if weight:
            weights[name] = weight * (2.0 if name in titled else 1.0) * (1 + count / (count + 3))
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:_MAX_NAMES]
    return dict(ordered)


def _chains_of(text: str) -> Iterable[str]:
    for match in _FROM_IMPORT.finditer(text):
        yield from (f"{match[1]}.{name}" for name in re.findall(r"\w+", match[2].partition("\n")[0]) if name != "as")
        yield match[1]
    yield from _CHAIN.findall(text)


def _frames_of(text: str) -> Iterable[Frame]:
    """Python writes the place that failed last, everybody else first."""
    python = _PYTHON_FRAME.findall(text) or _PYTEST_FRAME.findall(text)
    yield from (Frame(path, name, depth) for depth, (path, name) in enumerate(reversed(python)))
    java = _JAVA_FRAME.findall(text)
    for depth, (owner, name, file) in enumerate(java):
        folder = "/".join(owner.rstrip(".").split(".")[:-1])
        yield Frame(f"{folder}/{file}", name, depth)
    if not python and not java:
        places = dict.fromkeys(_OTHER_FRAME.findall(text))
        yield from (Frame(path.replace("\\", "/"), "", depth) for depth, path in enumerate(places))
