"""`switchyard doctor`: what would stop a run is a line with a way out, never an error of its own."""

from __future__ import annotations

import pytest

from switchyard.attestation import HostKey

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


def test_an_agent_that_cannot_be_had_stops_a_run_as_a_wrong_configuration(shell: Shell) -> None:
    shell.commit({"a.txt": ""})
    shell.write("switchyard.toml", '[agent]\nkind = "claude"\n')
    shell.write(".switchyard/tasks/a.md", "---\nid: a\ntitle: A\nstate: ready\n---\nDo it.\n")
    ending = shell.run("run", "--json")
    assert (ending.code, ending.document["error"]["kind"]) == (2, "agent_error")
    assert "under [gateway]" in ending.document["error"]["hint"]


def test_the_signing_key_is_looked_for_and_not_made(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.commit({"a.txt": ""})
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    folder = shell.folder.parent / "home" / ".config" / "switchyard"
    line = lines(shell, AGENT)["signing key"]
    assert (line["ok"], line["required"]) == (True, False)
    assert line["detail"] == f"{folder / 'signing.pem'}, made when it is first needed"
    assert not folder.exists()
    HostKey(folder).signer()
    assert lines(shell, AGENT)["signing key"]["detail"] != line["detail"]
    (folder / "signing.pem").chmod(0o644)
    line = lines(shell, AGENT)["signing key"]
    assert (line["ok"], line["required"], "chmod 600" in str(line["hint"])) == (False, False, True)
    line = lines(shell, AGENT + '[evidence]\nsigning_key_env = "NO_SUCH_KEY"\n')["signing key"]
    assert (line["ok"], line["detail"]) == (False, "the environment has no NO_SUCH_KEY")
    assert "signing key" not in lines(shell, AGENT + "[evidence]\nsign = false\n")


def test_ways_to_tell_people_are_looked_at_and_none_is_required(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.commit({"a.txt": ""})
    config = AGENT + '[notify]\nwebhook_env = "HOOK"\ncommand = ["no-such-program", "{title}"]\n'
    monkeypatch.delenv("HOOK", raising=False)
    found = lines(shell, config)
    webhook, command = found["notify: webhook"], found["notify: command"]
    assert (webhook["ok"], webhook["required"], webhook["detail"]) == (False, False, "the environment has no HOOK")
    assert webhook["hint"] == "export HOOK"
    assert (command["ok"], command["required"], command["detail"]) == (False, False, "no-such-program not found")
    monkeypatch.setenv("HOOK", "SECRET")
    assert lines(shell, config)["notify: webhook"]["detail"] == "HOOK holds no http(s) URL"
    monkeypatch.setenv("HOOK", "https://hooks.example.org/SECRET")
    assert lines(shell, config.replace("no-such-program", "sh"))["notify: webhook"]["ok"]
    assert "SECRET" not in shell.run("doctor").out
    assert not [name for name in lines(shell, AGENT) if name.startswith("notify")]
