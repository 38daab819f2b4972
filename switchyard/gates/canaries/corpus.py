"""The canaries that come with Switchyard: each a small tree before and after, a task, and the fault that is in it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from switchyard.packets import REVIEWERS, Reviewer, TaskId

FOLDER = "changes"


class CanaryTask(BaseModel):
    """What the change was asked to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: TaskId
    title: str
    body: str
    acceptance: tuple[str, ...] = ()
    test_requirements: str = ""


class Canary(BaseModel):
    """One file of the corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Its file's name."""
    language: str
    reviewers: tuple[Reviewer, ...] = REVIEWERS
    """Who must get it right."""
    fault: str = ""
    """What is wrong, for people; empty: it is sound, and must pass."""
    task: CanaryTask
    checks: dict[str, str] = Field(default_factory=dict)
    """Commands by name that are said to have passed."""
    before: dict[str, str]
    """Path → content."""
    after: Annotated[dict[str, str], Field(min_length=1)]
    """What the change puts in their place; the rest of the tree stays."""

    @property
    def is_sound(self) -> bool:
        """Whether it must pass."""
        return not self.fault

    @property
    def tree(self) -> dict[str, str]:
        """Path → content after the change."""
        return {**self.before, **self.after}

    @model_validator(mode="after")
    def _check_change(self) -> Self:
        if not any(self.before.get(path) != text for path, text in self.after.items()):
            raise ValueError(f"canary {self.name} changes nothing")
        if not self.is_sound and len(self.reviewers) != 1:
            raise ValueError(f"canary {self.name} has a fault, and not the one reviewer who must find it")
        return self


@cache
def load_canaries() -> tuple[Canary, ...]:
    """All of them, by name."""
    found = files("switchyard.gates.canaries").joinpath(FOLDER).iterdir()
    places = sorted((place for place in found if place.name.endswith(".toml")), key=lambda place: place.name)
    return tuple(_read(place.name.removesuffix(".toml"), place.read_text(encoding="utf-8")) for place in places)


def _read(name: str, text: str) -> Canary:
    return Canary.model_validate({"name": name, **tomllib.loads(text)})
