"""Finds test weakening in a change: reads both versions, pairs the tests, and gathers what each comparison finds."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from switchyard.gates.weakening import go, java, javascript, python, rust
from switchyard.gates.weakening.comparison import (
    Offer,
    Offers,
    World,
    claims_of,
    judge_change,
    open_change,
)
from switchyard.gates.weakening.conduct import judge_marks
from switchyard.gates.weakening.configuration import compare_configuration, is_configuration
from switchyard.gates.weakening.model import Kind, Tokens, Weakening
from switchyard.gates.weakening.pairing import Matching, match_units
from switchyard.gates.weakening.tokens import dice, is_name, similarity
from switchyard.gates.weakening.units import FileFacts, Unit

_READERS = {
    ".py": python.read,
    ".go": go.read,
    ".rs": rust.read,
    ".java": java.read,
    **dict.fromkeys((".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"), javascript.read),
}
_TEST_PLACE = re.compile(
    r"(^|[/_.-])(tests?|specs?|__tests__|testing|conftest|cy|e2e|it)([/_.-]|$)|Tests?\w*\.java$|IT\.java$|TestCase\.java$|\.rs$",
    re.IGNORECASE,
)
_MAX_BYTES = 2_000_000
_WORD = re.compile(rb"[A-Za-z_]\w*")

Files = Mapping[str, FileFacts]


def find_weakening(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[Weakening, ...]:
    """What a change takes from the tests, sorted by place.

    Args:
        before: Path → content of the files that the change touches, as the base has them.
        after: The same as the change has them. A path of only one side was deleted or added; what both sides have
            equal is passed over. Test files above 2 MB are not compared, and reported.
    """
    touched = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    found = set(compare_configuration({path: (before.get(path), after.get(path)) for path in touched}))
    tests = [path for path in touched if _TEST_PLACE.search(path)]
    old, new = _read(before, tests), _read(after, tests)
    matching = match_units(_units(old), _units(new))
    if matching.lost:
        new |= _read(after, [path for path in touched if path not in new])
        matching = match_units(_units(old), _units(new))
    found |= set(_compare(old, new, matching))
    return tuple(sorted(found))


def is_about_tests(path: str) -> bool:
    """Whether a path may hold tests, what they are compared with, or how they are run."""
    return is_configuration(path) or (_TEST_PLACE.search(path) is not None and path[path.rfind(".") :] in _READERS)


def _read(files: Mapping[str, bytes], paths: Iterable[str]) -> dict[str, FileFacts]:
    facts = {}
    for path in paths:
        reader = _READERS.get(path[path.rfind(".") :])
        if reader is not None and path in files:
            facts[path] = _read_one(reader, path, files[path])
    packages: dict[str, dict[str, Tokens]] = defaultdict(dict)
    for path in (path for path in facts if path.endswith("_test.go")):
        packages[path.rpartition("/")[0]].update(facts[path].constants)
    for path in (path for path in facts if path.endswith("_test.go")):
        facts[path].constants.update(packages[path.rpartition("/")[0]])
    return facts


def _read_one(reader: Callable[[str, bytes], FileFacts], path: str, source: bytes) -> FileFacts:
    if len(source) > _MAX_BYTES:
        return FileFacts(is_unreadable=True)
    try:
        return reader(path, source)
    except RecursionError:
        return FileFacts(is_unreadable=True)


def _units(files: Files) -> list[Unit]:
    return [unit for facts in files.values() for unit in facts.units]


def _compare(old: Files, new: Files, matching: Matching) -> list[Weakening]:
    pairs = [(one, other) for one, other in matching.pairs if _differs(one, other, old, new)]
    helpers = _helper_pairs(old, new)
    world = World(_helpers(old), _helpers(new), _renames([*pairs, *helpers], old, new))
    changes = [open_change(one, other, world) for one, other in (*pairs, *helpers)]
    offers = [Offer(change.after, change.added, world.helpers_after) for change in changes if change.added]
    offers += [
        Offer(unit, claims_of(unit, world.helpers_after), world.helpers_after)
        for unit in matching.new
        if not _is_skipped(unit)
    ]
    places = Offers(offers)
    found = [item for change in changes for item in judge_change(change, places, world)]
    for one, other in matching.pairs:
        if one.text == other.text and one.marks != other.marks:
            found += judge_marks(one, other)
    kept = {(other.path, other.qualified): other for _, other in matching.pairs}
    for unit in matching.lost:
        namesake = kept.get((unit.path, unit.qualified))
        if namesake is not None and dice(unit.bag, namesake.bag) > 0.8:
            continue  # The runner, or the compiler, saw but one of the two.
        if not _is_skipped(unit) and not _is_empty(unit) and not places.cover(claims_of(unit, world.helpers_before)):
            found.append(_whole(unit, unit, Kind.DELETED_TEST, "the test is gone"))
    for one, other in matching.uncollected:
        if not _is_skipped(one):
            found.append(_whole(one, other, Kind.UNCOLLECTED_TEST, "the runner no longer finds it"))
    found += _unreadable(new, [other for _, other in (*pairs, *helpers)])
    return [*found, *_focused(matching), *_excluded(old, new), *_mocked(old, new)]


def _whole(before: Unit, shown: Unit, kind: Kind, why: str) -> Weakening:
    after = "" if shown is before else shown.qualified
    return Weakening(shown.path, shown.line, kind, before.qualified, before.qualified, after, why)


def _is_empty(unit: Unit) -> bool:
    """Whether a test does nothing at all."""
    body = unit.body
    return not (body.claims or body.calls or body.rows or unit.rows or body.is_unreadable) and len(unit.flat) < 40


def _is_skipped(unit: Unit) -> bool:
    return any(rank > 1 for rank, _ in unit.all_marks)


def _differs(one: Unit, other: Unit, old: Files, new: Files) -> bool:
    if one.text != other.text or one.rows != other.rows:
        return True
    constants, now = old[one.path].constants, new[other.path].constants
    changed = [name for name in constants if now.get(name) != constants[name]]
    return any(name.encode() in one.text for name in changed)


def _helpers(files: Files) -> dict[str, Unit]:
    return {unit.name: unit for path, facts in files.items() for unit in facts.units if _may_help(path, unit)}


def _may_help(path: str, unit: Unit) -> bool:
    if unit.is_test or unit.name.replace("_", "").lower() in ("setup", "teardown"):
        return False
    return not path.endswith(".rs") or unit.scope.startswith("test") or "tests/" in path


def _helper_pairs(old: Files, new: Files) -> list[tuple[Unit, Unit]]:
    """Changed functions beside tests; overloads that are still written somewhere need no counterpart."""
    had, has = ({unit.text for unit in _units(files)} for files in (old, new))
    now: dict[object, list[Unit]] = defaultdict(list)
    for path, facts in new.items():
        for unit in facts.units:
            if _may_help(path, unit) and (unit.text not in had or _has_new_constants(unit, old, new)):
                now[unit.path, unit.qualified].append(unit)
                now[unit.name].append(unit)
    pairs = []
    for path, facts in old.items():
        for unit in facts.units:
            if _may_help(path, unit) and (unit.text not in has or _has_new_constants(unit, old, new)):
                others = now[unit.path, unit.qualified] or now[unit.name]
                if others:
                    pairs.append((unit, max(others, key=lambda other: similarity(unit.flat, other.flat))))
    return pairs


def _has_new_constants(unit: Unit, old: Files, new: Files) -> bool:
    if unit.path not in old or unit.path not in new:
        return False
    before, after = old[unit.path].constants, new[unit.path].constants
    return any(name.encode() in unit.text for name in before if after.get(name) != before[name])


def _renames(pairs: Sequence[tuple[Unit, Unit]], old: Files, new: Files) -> dict[str, str]:
    """Names that stand for others wherever they stood, and not only among expected values."""
    if not pairs:
        return {}
    had, has = _words(old), _words(new)
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for one, other in pairs:
        if len(one.flat) == len(other.flat):
            for leaf, now in zip(one.flat, other.flat, strict=True):
                is_replaced = not has[leaf.encode()]
                if leaf != now and is_replaced and is_name(leaf) and is_name(now):
                    votes[leaf][now] += 1
    expected = (
        Counter(leaf for one, _ in pairs for claim in one.body.claims for leaf in set(claim.expected))
        if votes
        else Counter()
    )
    return {
        leaf: counted.most_common(1)[0][0]
        for leaf, counted in votes.items()
        if len(counted) == 1 and had[leaf.encode()] > max(1, expected[leaf]) and _is_free(counted, had)
    }


def _is_free(counted: Counter[str], had: Counter[bytes]) -> bool:
    """Whether the name that replaces another is new, or takes its place often enough."""
    name, votes = counted.most_common(1)[0]
    return not had[name.encode()] or votes > 3


def _words(files: Files) -> Counter[bytes]:
    counted: Counter[bytes] = Counter()
    for facts in files.values():
        counted.update(_WORD.findall(facts.source))
    return counted


def _unreadable(new: Files, changed: Sequence[Unit]) -> list[Weakening]:
    why = "too large or too deeply nested to be compared"
    files = [Weakening(path, 1, Kind.UNREADABLE_TEST, "", "", "", why) for path in new if new[path].is_unreadable]
    return files + [
        Weakening(unit.path, unit.line, Kind.UNREADABLE_TEST, unit.qualified, "", "", why)
        for unit in changed
        if unit.body.is_unreadable
    ]


def _focused(matching: Matching) -> list[Weakening]:
    """A new test that is run alone leaves all the others out."""
    return [
        Weakening(unit.path, unit.line, Kind.SKIPPED_TEST, unit.qualified, "", text, "all other tests are left out")
        for unit in matching.new
        for rank, text in unit.marks
        if text.startswith("only: ")
    ]


def _mocked(old: Files, new: Files) -> list[Weakening]:
    return [
        Weakening(path, 1, Kind.MOCKED_SUBJECT, module, module, "", "the module that the tests are about is replaced")
        for path, facts in new.items()
        if path in old
        for module in facts.stand_ins
        if module not in old[path].stand_ins
    ]


def _excluded(old: Files, new: Files) -> list[Weakening]:
    found = []
    for path, facts in new.items():
        before = old[path].exclusions if path in old else []
        if path not in old and not path.endswith("conftest.py"):
            continue
        for text in facts.exclusions:
            if text in before:
                continue
            kind = Kind.TOLERATED_FAILURE if text.startswith("retried: ") else Kind.EXCLUDED_TESTS
            found.append(Weakening(path, 1, kind, text.split(" ")[0], "", text[:160], "left out of what is collected"))
    return found
