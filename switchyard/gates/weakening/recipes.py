"""Weakening in what calls the runners: targets of make and just, scripts of packages, shell scripts, workflows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath

from switchyard.gates.weakening.model import Kind

Verdict = tuple[Kind, str]
Comparison = Callable[[str, str], Verdict | None]
"""Of two command lines of a runner: what the later one leaves out, or lets through."""

_MAKES = re.compile(r"(^|/)((GNU)?[Mm]akefile|[\w.-]+\.mk|\.?justfile)$")
_SCRIPT = re.compile(r"(^|/)[\w.-]*(test|check|verify)[\w.-]*\.(sh|bash|zsh)$|(^|/)ci\.sh$", re.IGNORECASE)
_TARGET = re.compile(r"^@?([\w.%/$({-][^:=#\n]*?) *::?(?![=:]) *([^#\n]*)")
_OF_TESTS = re.compile(r"(^|[-_./:])(tests?|check|unit|units|integration|e2e|ci|verify|specs?|coverage)($|[-_./:])")
_IDLE = re.compile(
    r"^(#|echo\b|printf\b|true\b|:($|\s)|cd\b|set\b|export\b|mkdir\b|rm\b|exit\b|return\b|@?#|\}|\{|fi\b|then\b|done\b)"
)
_STRICT = re.compile(r"^set -\w*e|^set -o errexit|^#!.*\bsh -\w*e", re.MULTILINE)
_LAX_LINES = re.compile(
    r"(continue-on-error|allow_failure|ignore_error): *true|^\s*-? *if: *(false|\$\{\{ *false *\}\})", re.MULTILINE
)
_ENDS = re.compile(r"^(exit( 0)?|return( 0)?|exec true)$")


@dataclass(frozen=True)
class Recipe:
    """Commands that are run under one name."""

    name: str
    line: int
    needs: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def active(self) -> list[str]:
        """The commands that do something, without make's marks."""
        plain = [command.lstrip("@-+ \t") for command in self._reached]
        return [command for command in plain if command and not _IDLE.match(command)]

    @property
    def _reached(self) -> Iterator[str]:
        for command in self.commands:
            if _ENDS.match(command.lstrip("@-+ \t")):
                return
            yield command


@dataclass(frozen=True)
class Loss:
    """What a recipe no longer does."""

    line: int
    name: str
    before: str
    after: str
    kind: Kind
    why: str


def is_recipe(path: str) -> bool:
    return _MAKES.search(path) is not None or _SCRIPT.search(path) is not None


def is_idle(command: str) -> bool:
    """Whether a command line does nothing: `true`, `echo done`, `exit 0`."""
    parts = [part.strip() for part in re.split(r"&&|\|\||;", command)]
    return all(not part or _IDLE.match(part) or part == "exit" for part in parts)


def compare_recipes(path: str, before: str, after: str, compare: Comparison) -> Iterator[Loss]:
    """What the recipes of tests in a file no longer run, or let through."""
    old, new = recipes_of(path, before), recipes_of(path, after)
    for name, recipe in old.items():
        if not (_SCRIPT.search(path) or _OF_TESTS.search(name)):
            continue
        now = new.get(name)
        if now is not None:
            yield from _losses(recipe, now, old, compare)
        elif recipe.active and not _is_elsewhere(recipe, new):
            yield Loss(1, name, "; ".join(recipe.active), "", Kind.EXCLUDED_TESTS, "the target is gone")
    if _SCRIPT.search(path) and _STRICT.search(before) and not _STRICT.search(after):
        yield Loss(1, "set -e", "set -e", "", Kind.TOLERATED_FAILURE, "a command that fails ends the script no longer")


def new_leniences(before: str, after: str) -> str:
    """The first line of a workflow that newly lets a step fail or leaves it out; "" for none."""
    old, new = (_LAX_LINES.findall(text) for text in (before, after))
    if len(new) <= len(old):
        return ""
    found = [match[0].strip() for match in _LAX_LINES.finditer(after)]
    return found[-1]


def recipes_of(path: str, text: str) -> dict[str, Recipe]:
    """Name → recipe; a script is one, under its own name."""
    if not _MAKES.search(path):
        name = PurePosixPath(path).name
        return {name: Recipe(name, 1, (), tuple(line.strip() for line in _joined(text) if line.strip()))}
    found: dict[str, Recipe] = {}
    names: list[str] = []
    for number, line in enumerate(_joined(text), 1):
        target = _TARGET.match(line) if line[:1].strip() else None
        if target is not None:
            names = target[1].split()
            if "just" in path:
                names = names[:1]
            needs, _, command = target[2].partition(";")
            for name in names:
                known = found.get(name, Recipe(name, number, (), ()))
                given = (command.strip(),) if command.strip() else ()
                needed = tuple(word for word in needs.split() if word != "|")
                found[name] = Recipe(name, known.line, (*known.needs, *needed), (*known.commands, *given))
        elif line[:1] in ("\t", " ") and line.strip():
            for name in names:
                known = found[name]
                found[name] = Recipe(name, known.line, known.needs, (*known.commands, line.strip()))
        elif line.strip():
            names = []
    return found


def _joined(text: str) -> list[str]:
    """Lines, those that a backslash goes on with put together."""
    return re.sub(r"\\\n\s*", " ", text).splitlines()


def _is_elsewhere(recipe: Recipe, new: dict[str, Recipe]) -> bool:
    every = [command for other in new.values() for command in other.active]
    return any(get_close_matches(command, every, n=1, cutoff=0.8) for command in recipe.active)


def _losses(old: Recipe, new: Recipe, every: dict[str, Recipe], compare: Comparison) -> Iterator[Loss]:
    fresh = [command for command in new.active if command not in old.active]
    rest = list(fresh)
    for command in (command for command in old.active if command not in new.active):
        near = get_close_matches(command, rest, n=1, cutoff=0.5)
        if near:
            rest.remove(near[0])
        elif rest:
            near = [rest.pop(0)]
        verdict = compare(command, near[0]) if near else (Kind.EXCLUDED_TESTS, "no longer run")
        if verdict is not None and (near or not _names(new, command)):
            yield Loss(new.line, old.name, command, near[0] if near else "", *verdict)
    for need in old.needs:
        if need not in new.needs and _is_of_tests(need, every) and not _names(new, need):
            yield Loss(new.line, old.name, need, "", Kind.EXCLUDED_TESTS, "no longer needed, so that it is not run")
    for command in new.commands:
        plain = command.lstrip("@-+ \t")
        if command.lstrip("@+")[:1] == "-" and plain in old.active and command not in old.commands:
            yield Loss(new.line, old.name, plain, command, Kind.TOLERATED_FAILURE, "its failure is passed over")


def _names(recipe: Recipe, text: str) -> bool:
    return any(text in command for command in recipe.active)


def _is_of_tests(name: str, every: dict[str, Recipe]) -> bool:
    known = every.get(name)
    return bool(_OF_TESTS.search(name)) or (known is not None and any("test" in line for line in known.active))
