"""`[roles]` names agents that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchyard.config import Config, parse_config
from switchyard.errors import ConfigError

NAMED = '[agent.careful]\nkind = "claude"\n'
DEFAULT = '[agent]\nkind = "claude"\n'


def read(text: str) -> Config:
    return parse_config(text, Path("switchyard.toml"))


def test_a_role_takes_a_named_agent_or_the_default() -> None:
    roles = read(f'{DEFAULT}{NAMED}[roles]\nclarify = "careful"\nplan = "default"\n').roles
    assert (roles.clarify, roles.plan) == ("careful", "default")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('clarify = "carefull"', "clarify: no agent 'carefull'; did you mean 'careful'?"),
        ('plan = "default"', "plan: 'default' stands for [agent], which is not there"),
    ],
)
def test_a_role_without_its_agent_is_refused_when_the_file_is_read(line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"{NAMED}[roles]\n{line}\n")
    assert str(caught.value) == f"switchyard.toml:3: roles: {said}"
