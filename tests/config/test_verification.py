"""`[verify]` names agents that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchyard.config import Config, parse_config
from switchyard.errors import ConfigError

AGENT = '[agent.careful]\nkind = "claude"\n'


def read(text: str) -> Config:
    return parse_config(text, Path("switchyard.toml"), environ={})


def test_nobody_reviews_unless_somebody_is_named() -> None:
    assert set(read("").verify.named.values()) == {""}
    assert read(f'{AGENT}[verify]\nsecurity = "careful"\n').verify.named["security"] == "careful"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('security = "carefull"', "security: no agent 'carefull'; did you mean 'careful'?"),
        ("canary_days = 0", "verify.canary_days"),
        ("canaries_per_run = -1", "verify.canaries_per_run"),
        ('taste = "careful"', "taste"),
    ],
)
def test_what_is_wrong_is_told_by_its_name(line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"switchyard.toml") as caught:
        read(f"{AGENT}[verify]\n{line}\n")
    assert said in f"{caught.value} {caught.value.hint}"
