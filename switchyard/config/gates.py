"""The shape of `[gates]`: what the gates measure against."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from switchyard.config.table import Minutes, Said, Table, check_inside

Command = Annotated[str, StringConstraints(pattern=r"\S")]
Percent = Annotated[float, Field(ge=0, le=100)]
Inside = Annotated[str, AfterValidator(check_inside)]


def _listed(given: object) -> object:
    if isinstance(given, str):
        return (given,)
    return tuple(given) if isinstance(given, list) else given


class CoverageConfig(Table):
    """`[gates.coverage]`: whether tests run the lines that a change adds or edits."""

    command: Command
    """A shell command that runs the tests and writes the report."""
    report: Annotated[tuple[Inside, ...], BeforeValidator(_listed), Field(min_length=1, max_length=20)]
    """Where it leaves the report, inside the repository: a file, a folder of V8's `coverage-*.json`, or a list."""
    percent: Percent = 80
    """How much of the changed lines must be run; 0: the lines that are not are told, and no more."""
    exclude: tuple[Said, ...] = ()
    """Files that need no coverage, as in `.gitignore`; tests and type declarations need none in any case."""


class MutationConfig(Table):
    """`[gates.mutation]`: whether the tests would notice if a changed line were wrong."""

    command: Command
    """The name of a check, or a shell command, that runs the tests."""
    most: Annotated[int, Field(ge=1, le=1000)] = 20
    """Faults to try, spread over the changed lines."""
    minutes: Minutes = 5
    """The time for all of them; what it does not suffice for is told."""
    percent: Percent = 0
    """How many of them must be noticed; 0: those that are not are told, and no more."""
    exclude: tuple[Said, ...] = ()
    """Files that no fault is put into, as in `.gitignore`; tests are left alone in any case."""


class GatesConfig(Table):
    """`[gates]`: what the gates measure against; none of them can be switched off."""

    max_file_kb: Annotated[int, Field(ge=1)] = 1024
    """A changed file above this size, in KiB, waits for a person."""
    coverage: CoverageConfig | None = None
    """Coverage of changed lines; None: not measured."""
    mutation: MutationConfig | None = None
    """Faults put into changed lines; None: none are."""
