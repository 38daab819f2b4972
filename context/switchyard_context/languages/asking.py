"""Facts that note who asked for them: after an edit only those have to be resolved anew whose answers rest on it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Generic, TypeVar

from switchyard_context.facts import FileFacts

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

Node = str | int
"""A file by its path, or a group by its number."""


class AskedFacts(Mapping[str, FileFacts]):
    """The facts of one language's files. What is asked for is noted until `take` is called."""

    def __init__(self, facts: Mapping[str, FileFacts]) -> None:
        self._facts = facts
        self._asked: set[Node] = set()
        self._numbers: dict[frozenset[Node], int] = {}
        self.groups: list[frozenset[Node]] = []
        """What the answers rest on that were found once and given to several askers."""

    def __getitem__(self, path: str) -> FileFacts:
        found = self._facts[path]
        self._asked.add(path)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __contains__(self, path: object) -> bool:
        return path in self._facts

    def take(self) -> set[Node]:
        """What was asked for since the last call."""
        asked, self._asked = self._asked, set()
        return asked

    def ask(self, group: int) -> None:
        """Note that an answer of before was used."""
        self._asked.add(group)

    def note(self, find: Callable[[Key], Value], key: Key) -> tuple[Value, int | None]:
        """Find an answer and put what it rests on in a group; None if it rests on no facts."""
        outer, self._asked = self._asked, set()
        try:
            found = find(key)
        finally:
            inner, self._asked = self._asked, outer
        if not inner:
            return found, None
        if len(inner) == 1 and isinstance(only := next(iter(inner)), int):
            return found, only
        group = frozenset(inner)
        number = self._numbers.setdefault(group, len(self.groups))
        if number == len(self.groups):
            self.groups.append(group)
        return found, number


class Memo(Generic[Key, Value]):
    """Answers that rest on facts, each found once; whoever gets one is noted as an asker of those facts.

    A resolver keeps every such answer in one of these: a plain dict would hide from the index that the second asker
    depends on the same files as the first.
    """

    def __init__(self, facts: Mapping[str, FileFacts], find: Callable[[Key], Value]) -> None:
        self._asked = facts if isinstance(facts, AskedFacts) else None
        self._find = find
        self._known: dict[Key, tuple[Value, int | None]] = {}

    def __call__(self, key: Key) -> Value:
        known = self._known.get(key)
        if known is None:
            known = self._asked.note(self._find, key) if self._asked is not None else (self._find(key), None)
            self._known[key] = known
        if known[1] is not None and self._asked is not None:
            self._asked.ask(known[1])
        return known[0]
