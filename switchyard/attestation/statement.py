"""What is signed of a task: an in-toto statement with SLSA provenance, and the claims as an extension of it.

Source: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/spec/v1.0/provenance
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from switchyard.attestation.errors import EnvelopeInvalid
from switchyard.ledger import Claim, Missing
from switchyard.ledger.events import canonical_json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILDER = "pkg:pypi/switchyard-factory"
"""A package URL: who made it. There is no site of the project's to name."""
BUILD_TYPE = f"{BUILDER}#task/v1"
"""What the parameters mean: docs/evidence.md."""

T = TypeVar("T")


class _Part(BaseModel):
    """Root of a statement's parts: names as in the specification; what others add is left out when read."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class Resource(_Part):
    """Something with a digest."""

    name: str = ""
    uri: str = ""
    digest: dict[str, str] = Field(default_factory=dict)


class StatedClaim(_Part):
    """A claim as it stood when it was signed."""

    claim: str
    about: str
    statement: str
    outcome: Literal["holds", "fails", "not_applicable"]
    reason: str
    attempt: int | None
    commit: str | None
    seq: int
    hash: str
    artifact: str | None
    timestamp: str


class LedgerHead(_Part):
    """The ledger's last row when it was signed."""

    sequence: int
    hash: str


class StatedTask(_Part):
    """What was asked for, as it stood when the run was planned."""

    id: str
    title: str
    content_hash: str
    allow: tuple[str, ...] = ()


class Asked(_Part):
    """What people set."""

    task: StatedTask
    checks: dict[str, str]
    """Name → command."""


class Chosen(_Part):
    """What the repository's configuration chose."""

    agent: str
    agent_kind: str = ""
    model: str = ""
    """The one asked for; empty: the program's own choice."""
    models: tuple[str, ...] = ()
    """Those that answered, as the gateway counted them."""
    sandbox: str


class BuildDefinition(_Part):
    """What was asked for, and of what it was made."""

    build_type: str
    external_parameters: Asked
    internal_parameters: Chosen
    resolved_dependencies: tuple[Resource, ...]


class Builder(_Part):
    """Who made it."""

    id: str
    version: dict[str, str]


class Metadata(_Part):
    """Which execution it was, and when."""

    invocation_id: str
    started_on: str
    finished_on: str


class RunDetails(_Part):
    """How it was made."""

    builder: Builder
    metadata: Metadata
    byproducts: tuple[Resource, ...]


class Predicate(_Part):
    """SLSA provenance v1; what begins with `switchyard_` is ours."""

    build_definition: BuildDefinition
    run_details: RunDetails
    claims: tuple[StatedClaim, ...] = Field(
        validation_alias="switchyard_claims", serialization_alias="switchyard_claims"
    )
    missing: tuple[dict[str, str], ...] = Field(
        validation_alias="switchyard_missing", serialization_alias="switchyard_missing"
    )
    ledger: LedgerHead = Field(validation_alias="switchyard_ledger", serialization_alias="switchyard_ledger")


class Statement(_Part):
    """The whole of what is signed."""

    type: str = Field(validation_alias="_type", serialization_alias="_type", pattern=f"^{re.escape(STATEMENT_TYPE)}$")
    subject: tuple[Resource, ...] = Field(min_length=1)
    predicate_type: str = Field(pattern=f"^{re.escape(PREDICATE_TYPE)}$")
    predicate: Predicate

    @classmethod
    def read(cls, payload: bytes) -> Statement:
        """From the payload of an envelope.

        Raises:
            EnvelopeInvalid: It is none of ours.
        """
        try:
            return cls.model_validate_json(payload)
        except ValidationError as err:
            where = ".".join(str(part) for part in err.errors()[0]["loc"])
            raise EnvelopeInvalid(f"the envelope holds no statement of a task: {where or 'no JSON'}") from err

    def as_bytes(self) -> bytes:
        """As it is signed: the same statement is the same bytes."""
        return canonical_json(self.model_dump(mode="json", by_alias=True, exclude_defaults=True)).encode("ascii")

    @property
    def commit(self) -> str:
        """The published commit."""
        return self.subject[0].digest.get("gitCommit", "")

    @property
    def task(self) -> str:
        """The task's id."""
        return self.predicate.build_definition.external_parameters.task.id


@dataclass(frozen=True)
class Origin:
    """Where a task's work comes from and how it was made."""

    asked: Asked
    chosen: Chosen
    materials: Sequence[Resource]
    """The base commit and the parents' branches."""
    branch: str
    commit: str
    run: str
    started: str
    finished: str
    version: str
    """Switchyard's."""


def make_statement(origin: Origin, claims: Sequence[Claim], missing: Sequence[Missing], head: LedgerHead) -> Statement:
    """The statement of a published task."""
    definition = BuildDefinition(
        build_type=BUILD_TYPE,
        external_parameters=origin.asked,
        internal_parameters=origin.chosen,
        resolved_dependencies=tuple(origin.materials),
    )
    details = RunDetails(
        builder=Builder(id=BUILDER, version={"switchyard-factory": origin.version}),
        metadata=Metadata(
            invocation_id=f"{origin.run}/{origin.asked.task.id}",
            started_on=origin.started,
            finished_on=origin.finished,
        ),
        byproducts=_artifacts(claims),
    )
    predicate = Predicate(
        build_definition=definition,
        run_details=details,
        claims=tuple(_stated(claim) for claim in claims),
        missing=tuple({"claim": one.claim, "about": one.about} for one in missing),
        ledger=head,
    )
    subject = Resource(name=origin.branch, digest={"gitCommit": origin.commit})
    return Statement(type=STATEMENT_TYPE, subject=(subject,), predicate_type=PREDICATE_TYPE, predicate=predicate)


def plain(value: T) -> T:
    """Text that JSON's readers take: half a surrogate pair, as a name that is no UTF-8 brings it, stands escaped."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value  # type: ignore[return-value]


def _artifacts(claims: Sequence[Claim]) -> tuple[Resource, ...]:
    named: dict[str, str] = {}
    for claim in claims:
        if claim.artifact:
            named.setdefault(claim.artifact, " ".join(filter(None, (claim.claim, claim.about))))
    return tuple(
        Resource(name=name, digest={"sha256": reference.removeprefix("sha256:")}) for reference, name in named.items()
    )


def _stated(claim: Claim) -> StatedClaim:
    fields = claim.as_json()
    return StatedClaim.model_validate({name: plain(fields[name]) for name in StatedClaim.model_fields})
