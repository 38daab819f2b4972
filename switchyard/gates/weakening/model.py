"""What a comparison of tests finds, and the claims that tests are compared by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

Tokens = tuple[str, ...]
"""A piece of source as the texts of its leaves: comments, blanks and trailing commas are gone."""


class Severity(StrEnum):
    WEAKENED = "weakened"
    """The tests prove less than they did."""
    CHANGED = "changed"
    """The tests demand something else: right where the task changes behaviour, and nowhere else."""


class Kind(StrEnum):
    DELETED_TEST = "deleted_test"
    SKIPPED_TEST = "skipped_test"
    EMPTIED_TEST = "emptied_test"
    UNCOLLECTED_TEST = "uncollected_test"
    """Still written, and no longer found by the runner."""
    REMOVED_CASE = "removed_case"
    """A row of a table or of a parametrised test."""
    REMOVED_ASSERTION = "removed_assertion"
    LOOSENED_ASSERTION = "loosened_assertion"
    WIDENED_TOLERANCE = "widened_tolerance"
    CHANGED_EXPECTATION = "changed_expectation"
    CANNOT_FAIL = "cannot_fail"
    """Asserted where nothing can make the test fail: swallowed, unreachable, or true of anything."""
    GUARDED_ASSERTION = "guarded_assertion"
    """Asserted under a condition that was not there before."""
    MOCKED_SUBJECT = "mocked_subject"
    """What was looked at is now a stand-in."""
    TOLERATED_FAILURE = "tolerated_failure"
    """Failures are retried or not counted."""
    LOWERED_THRESHOLD = "lowered_threshold"
    EXCLUDED_TESTS = "excluded_tests"
    """Left out by the configuration of a runner or of coverage."""
    UNREADABLE_TEST = "unreadable_test"
    """Too large or too deeply nested to be compared, so that nothing can be said for it."""

    @property
    def severity(self) -> Severity:
        return Severity.CHANGED if self is Kind.CHANGED_EXPECTATION else Severity.WEAKENED


@dataclass(frozen=True, order=True)
class Weakening:
    """One way in which a change asks less of the code, or something else."""

    path: str
    """Of the base, or of the change where the base has no such file."""
    line: int
    """Counts from 1; in the change's version of the file, or in the base's where the thing is gone."""
    kind: Kind
    test: str
    """The test's name with what it stands in, `TestCart.test_total`; the key, for configuration."""
    before: str
    after: str
    why: str

    def as_json(self) -> dict[str, str | int]:
        """Every field and the severity, as JSON values."""
        return {**asdict(self), "kind": self.kind.value, "severity": self.kind.severity.value}


@dataclass(frozen=True)
class Claim:
    """One thing that an assertion holds to be true."""

    relation: str
    """A key of `STRENGTHS`."""
    subject: Tokens
    expected: Tokens = ()
    options: tuple[tuple[str, str], ...] = ()
    """Tolerances and the like, name and value as written."""
    line: int = 0
    guards: tuple[Tokens, ...] = ()
    """Conditions it stands under."""
    is_swallowed: bool = False
    """A failure would be caught."""
    is_dead: bool = False
    """Never reached."""
    origin: Tokens = ()
    """The subject with variables replaced by what they were given."""
    value: Tokens = ()
    """What is expected, likewise."""
    maker: Tokens = ()
    """What made the thing looked at: the name that is called where its variable is given a value."""

    @property
    def key(self) -> tuple[object, ...]:
        return (self.relation, self.subject, self.expected, self.options)

    @property
    def strength(self) -> int:
        return STRENGTHS[self.relation]

    @property
    def text(self) -> str:
        parts = (" ".join(self.subject), self.relation, " ".join(self.expected))
        tolerance = ", ".join(f"{name}={value}" for name, value in self.options)
        return " ".join(part for part in parts if part) + (f" ({tolerance})" if tolerance else "")


STRENGTHS = {
    "equal": 9,
    "close": 8,
    "called_with": 8,
    "pattern": 7,
    "helper": 7,
    "raises": 7,
    "snapshot": 7,
    "called_times": 7,
    "matches": 6,
    "contains": 6,
    "starts_or_ends": 6,
    "excludes": 5,
    "length": 5,
    "bound": 5,
    "reached": 5,
    "variant": 4,
    "type": 4,
    "called": 4,
    "uncalled": 6,
    "truth": 3,
    "falsy": 3,
    "unequal": 3,
    "present": 2,
    "truthy": 2,
    "length_bound": 2,
    "either": 1,
    "no_raise": 1,
}
"""How much each relation says of its subject, the most last ruled out: only the order matters."""
