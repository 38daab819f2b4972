"""Environments are read, and one that could not do anything is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from switchyard.config import Config
from switchyard.gates import in_environments
from switchyard.workflow.surroundings import surroundings_of

CHECKS = {"unit": "make unit", "lint": "make lint"}


def config(**environments: Any) -> Config:
    sandbox = {"env": {"A": "1", "B": "1"}, "setup": ("install",), "setup_network": ("pypi.org",)}
    return Config.model_validate({"checks": CHECKS, "sandbox": sandbox, "environments": environments})


def test_an_environment_stands_over_the_sandbox() -> None:
    known = config(plain={}, other={"env": {"B": "2"}, "setup": ("older",)})
    plain, other = surroundings_of(known, "plain"), surroundings_of(known, "other")
    assert plain == surroundings_of(known)
    assert (dict(other.env), other.setup, other.setup_network) == ({"A": "1", "B": "2"}, ("older",), ("pypi.org",))
    assert plain.suite("x") == surroundings_of(known).suite("x")
    assert len({other.suite("x"), plain.suite("x"), plain.suite("y")}) == 3


def test_each_environment_has_the_checks_that_it_names_or_all() -> None:
    assert in_environments(CHECKS, {"a": ("lint",), "b": ()}) == {
        "lint@a": ("lint", "a"),
        "unit@b": ("unit", "b"),
        "lint@b": ("lint", "b"),
    }


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"checks": ("linnt",)}, "names a check 'linnt' that [checks] does not have"),
        ({"image": "python:3.9"}, 'which is for the kind "docker"'),
        ({"setups": ()}, "Extra inputs"),
    ],
)
def test_an_environment_that_could_do_nothing_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        config(odd=table)
    assert said in str(caught.value)
