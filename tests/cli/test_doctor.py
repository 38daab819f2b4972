"""`switchyard doctor`: what would stop a run is a line with a way out, never an error of its own."""

from __future__ import annotations

import pytest

from .conftest import Shell

AGENT = '[agent]\ncommand = ["sh", ".agents/apply.sh", "{task_id}"]\n'
OPENAI = '[gateway]\nopenai = { url = "http://127.0.0.1:1/v1", key_env = "MODEL_KEY" }\n'


def lines(shell: Shell, config: str) -> dict[str, dict[str, object]]:
    shell.write("switchyard.toml", config)
    return {line["name"]: line for line in shell.run("doctor", "--json").document["environment"]}


def test_an_agent_whose_script_is_not_on_the_base_branch_is_told(shell: Shell) -> None:
    shell.commit({"a.txt": ""})
    shell.write(".agents/apply.sh", "true\n")
    line = lines(shell, AGENT)["agent default"]
    assert (line["ok"], line["required"], line["detail"]) == (False, False, ".agents/apply.sh is not on main")
    assert "commit it" in str(line["hint"])
    shell.commit({".agents/apply.sh": "true\n"})
    assert "agent default" not in lines(shell, AGENT)


@pytest.mark.parametrize(
    ("config", "name", "said"),
    [
        ('[agent]\nkind = "claude"\n', "agent", "agent 'default' of kind 'claude' has no model to talk to"),
        ('[agent]\nkind = "codex"\ncommand = ["no-such-codex"]\n' + OPENAI, "agent", "no-such-codex is not on this"),
        ('[agent.a]\nkind = "acp"\ncommand = ["sh", "{nope}"]\n', "agent", "unknown placeholder"),
        ('[agent]\ncommand = ["sh", "{nope}"]\n', "agent", "unknown placeholder"),
        ('[forge]\nkind = "github"\n', "forge", "there is no remote 'origin' that says which repository"),
        ('[sandbox]\nkind = "daytona"\n', "sandbox", "the environment has no DAYTONA_API_KEY"),
    ],
)
def test_a_part_that_cannot_be_had_is_a_line(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, config: str, name: str, said: str
) -> None:
    monkeypatch.delenv("DAYTONA_API_KEY", raising=False)
    shell.commit({"a.txt": ""})
    line = lines(shell, config)[name]
    assert (line["ok"], line["required"]) == (False, True)
    assert said in str(line["detail"]) and line["hint"]
    assert shell.run("doctor").code == 1
