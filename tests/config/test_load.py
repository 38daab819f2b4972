"""switchyard.toml: what it means, who wins, and how each fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchyard.config import AcpAgent, ClaudeAgent, CommandAgent, Config, load_config, parse_config
from switchyard.config.lines import key_lines, line_of
from switchyard.errors import ConfigError, UsageError

FULL = """\
[repository]
remote = "upstream"
base = "trunk"
[agent]
kind = "command"
command = ["sh", "apply.sh", "{task_id}"]
[agent.clever]
kind = "claude"
model = "large"
[gateway]
anthropic = { url = "https://api.anthropic.com", key_env = "ANTHROPIC_API_KEY" }
[sandbox]
setup = [
  "python3 -m venv .venv",   # a comment
  ".venv/bin/pip install -e .",
]
setup_network = ["pypi.org"]
cpus = 1.5
env = { CI = "1" }
[checks]
test = "pytest -q"
[limits]
concurrency = 2
minutes = 90
"""


def parse(text: str, **options: object) -> Config:
    return parse_config(text, Path("switchyard.toml"), **options)  # type: ignore[arg-type]


def fault(text: str, **options: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, **options)
    return caught.value


def test_kinds_with_an_image_may_fetch_code_by_themselves() -> None:
    sandbox = parse('[sandbox]\nkind = "daytona"\nimage = "python:3.12"\ncode = "remote"\nsparse = true\n').sandbox
    assert (sandbox.kind, sandbox.image, sandbox.code, sandbox.sparse) == ("daytona", "python:3.12", "remote", True)
    assert parse('[sandbox]\nworkspace = "memory"\nimage = "unused"\n').sandbox.workspace == "memory"


def test_an_empty_file_gives_the_documented_defaults() -> None:
    config = parse("")
    assert (config.repository.remote, config.repository.base) == ("origin", "main")
    assert (config.sandbox.kind, config.sandbox.memory_mb, config.sandbox.network) == ("embedded", 2048, ())
    assert (config.limits.concurrency, config.limits.repairs, config.limits.usd) == (4, 3, None)
    assert config.review.protected == (".github/**", "**/CODEOWNERS", "switchyard.toml")
    assert config.agent is None


def test_every_table_of_a_full_file_is_read() -> None:
    config = parse(FULL)
    assert config.repository.base == "trunk"
    assert config.agent_named() == CommandAgent(command=("sh", "apply.sh", "{task_id}"))
    assert config.agent_named("clever") == ClaudeAgent(kind="claude", model="large")
    assert config.gateway["anthropic"].key_env == "ANTHROPIC_API_KEY"
    assert config.sandbox.setup == ("python3 -m venv .venv", ".venv/bin/pip install -e .")
    assert config.sandbox.env == {"CI": "1"}
    assert config.checks == {"test": "pytest -q"}
    assert config.limits.minutes == 90


def test_a_flag_beats_the_environment_which_beats_the_file() -> None:
    environ = {"SWITCHYARD_LIMITS_CONCURRENCY": "7", "SWITCHYARD_LIMITS_REPAIRS": "1", "PATH": "/bin"}
    config = parse(FULL, environ=environ, overrides={"limits.concurrency": 9, "sandbox.kind": None})
    assert config.limits.concurrency == 9
    assert config.limits.repairs == 1
    assert config.limits.minutes == 90
    assert config.sandbox.kind == "embedded"


@pytest.mark.parametrize(
    ("variable", "value", "table", "key", "expected"),
    [
        ("SWITCHYARD_SANDBOX_KIND", "docker", "sandbox", "kind", "docker"),
        ("SWITCHYARD_SANDBOX_MEMORY_MB", "512", "sandbox", "memory_mb", 512),
        ("SWITCHYARD_SANDBOX_NETWORK", '["pypi.org"]', "sandbox", "network", ("pypi.org",)),
        ("SWITCHYARD_REVIEW_AUTO_MERGE", "true", "review", "auto_merge", True),
        ("SWITCHYARD_REPOSITORY_BASE", "2024", "repository", "base", "2024"),
        ("SWITCHYARD_STATE_DATABASE", "postgresql://h/d", "state", "database", "postgresql://h/d"),
    ],
)
def test_the_environment_sets_a_fixed_key_of_any_type(
    variable: str, value: str, table: str, key: str, expected: object
) -> None:
    assert getattr(getattr(parse("", environ={variable: value}), table), key) == expected


def test_the_environment_can_set_the_default_agent() -> None:
    config = parse("", environ={"SWITCHYARD_AGENT_KIND": "acp", "SWITCHYARD_AGENT_COMMAND": '["agent", "--acp"]'})
    assert config.agent == AcpAgent(kind="acp", command=("agent", "--acp"))


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"SWITCHYARD_SANDBOX_KIN": "docker"}, "did you mean 'kind'?"),
        ({"SWITCHYARD_SANBOX_KIND": "docker"}, "did you mean 'sandbox'?"),
        ({"SWITCHYARD_LIMITS_CONCURRENCY": "many"}, '"many"'),
        ({"SWITCHYARD_CHECKS_TEST": "pytest"}, "no key 'test'"),
    ],
)
def test_a_wrong_variable_is_named(environ: dict[str, str], said: str) -> None:
    error = fault("", environ=environ)
    assert next(iter(environ)) in str(error)
    assert said in str(error)
    assert error.line is None


def test_variables_of_other_tables_are_left_alone() -> None:
    assert parse("", environ={"SWITCHYARD_LOG": "debug", "SWITCHYARD_X": "1", "SWITCHYARD_DEMO_DIR": "/x"}) == Config()


@pytest.mark.parametrize(
    ("text", "line", "key", "said"),
    [
        ('[sandbox]\nkind = "embeded"\n', 2, "sandbox.kind", "did you mean 'embedded'?"),
        ('[sandbox]\nenv = {A = "x\\u0000y"}\n', 2, "sandbox.env.A", "holds NUL"),
        ('[sandbox]\nnetwork = ["10.0.0.1"]\n', 2, "sandbox.network.0", "'10.0.0.1' is an address"),
        ("[limits]\n\n# so\nconcurency = 3\n", 4, "limits.concurency", "did you mean 'concurrency'?"),
        ('[limits]\nconcurrency = "3"\n', 2, "limits.concurrency", 'not "3"'),
        ("[limits]\nconcurrency = 0\n", 2, "limits.concurrency", "greater than or equal to 1"),
        ("[sandbox]\ntimeout_minutes = inf\n", 2, "sandbox.timeout_minutes", "finite"),
        ("[sandbox]\nstall_minutes = 1e300\n", 2, "sandbox.stall_minutes", "less than or equal to 525600"),
        ("[sandbox]\ncpus = true\n", 2, "sandbox.cpus", "valid number"),
        ('[sandbox]\nkind = "daytona"\nworkspace = "memory"\n', 3, "sandbox.workspace", 'this one is "daytona"'),
        ('[sandbox]\ncode = "remote"\n', 2, "sandbox.code", "docker and daytona"),
        ('[sandbox]\nkind = "docker"\ncode = "remot"\n', 3, "sandbox.code", "did you mean 'remote'?"),
        ("[sandbx]\n", 1, "sandbx", "did you mean 'sandbox'?"),
        ('[agents.x]\nkind = "codex"\n', 1, "agents", "did you mean 'agent'?"),
        ('[agent]\nkind = "codx"\n', 2, "agent.kind", "did you mean 'codex'?"),
        ('[agent]\nkind = "command"\n', 1, "agent.command", "'agent.command' is missing"),
        ('\n[agent.a]\nkind = "acp"\ncmd = ["x"]\n', 2, "agent.a.command", "is missing"),
        ('[agent.codex]\ncommand = ["x"]\nmcp = true\n', 3, "agent.codex.mcp", "unknown key 'agent.codex.mcp'"),
        ('[environments.odd]\nchecks = ["x"]\n', 1, "environments", "[environments.odd] names a check 'x'"),
        ('[agent]\ncommand = "sh x"\n', 2, "agent.command", '"sh x"'),
        ('[sandbox]\nnetwork = ["https://pypi.org/"]\n', 2, "sandbox.network.0", "not a host name"),
        ('[sandbox]\nenv = { "A B" = "1" }\n', 2, "sandbox.env.A B", "environment variable"),
        ('[gateway]\n"a b" = { url = "https://x", key_env = "K" }\n', 2, "gateway.a b", "cannot name an endpoint"),
        ('[gateway]\na = { url = "https://u:p@x", key_env = "K" }\n', 2, "gateway.a.url", "https?://"),
        ('[gateway]\na = { url = "https://x", key_env = "K", kind = "opnai" }\n', 2, "gateway.a.kind", "openai"),
        ('[tasks]\npath = "../tasks"\n', 2, "tasks.path", "inside the repository"),
        ('[checks]\ntest = ""\n', 2, "checks.test", "at least 1"),
        ('[forge]\nrepository = "just-a-name"\n', 2, "forge.repository", "pattern"),
        ("[limits]\nrepairs = 1\nrepairs = 2\n", 3, "", "not valid TOML"),
        ("[limits\n", 1, "", "not valid TOML"),
        ('[checks]\ntest = "x\n', 2, "", "not valid TOML"),
        ('sandbox = "embedded"\n', 1, "sandbox", "not"),
    ],
)
def test_a_fault_is_named_with_file_line_and_key(text: str, line: int, key: str, said: str) -> None:
    error = fault(text)
    assert (error.line, error.key) == (line, key)
    assert str(error).startswith(f"switchyard.toml:{line}: ")
    assert said in str(error)
    assert error.exit_code == 2


def test_a_key_of_another_kind_of_agent_is_no_guess() -> None:
    error = fault('[agent.codex]\ncommand = ["x"]\nmcp = true\n')
    assert "did you mean" not in str(error)
    assert error.hint == "known here: command, kind, model, turn_minutes"


def test_all_faults_of_a_file_are_told_at_once() -> None:
    error = fault('[sandbox]\nkind = "x"\n[limits]\nconcurrency = 0\ntypo = 1\n')
    assert [line.split(": ")[0] for line in str(error).splitlines()] == [
        "switchyard.toml:2",
        "switchyard.toml:4",
        "switchyard.toml:5",
    ]
    assert len(error.others) == 2


def test_a_password_in_a_wrong_database_address_is_not_shown() -> None:
    assert "secret" not in str(fault('[state]\ndatabase = ["postgresql://u:secret@h/d"]\n'))


def test_a_missing_file_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "switchyard.toml")
    assert "switchyard init" in caught.value.hint
    assert load_config(tmp_path / "switchyard.toml", must_exist=False) == Config()


def test_bytes_that_are_not_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "switchyard.toml"
    path.write_bytes(b'[repository]\nbase = "caf\xe9"\n')
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        load_config(path)
    assert caught.value.line == 2


def test_a_byte_order_mark_and_crlf_are_read(tmp_path: Path) -> None:
    path = tmp_path / "switchyard.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    assert load_config(path) == parse(FULL)


def test_an_unknown_agent_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'clever'"):
        parse(FULL).agent_named("cleverr")
    with pytest.raises(UsageError, match="no agent is configured"):
        parse("").agent_named()


def test_lines_are_found_through_arrays_dotted_keys_and_long_strings() -> None:
    text = 'a.b = 1\n[t]\nx = """\n[not.a.table]\ny = 1\n"""\nlist = [\n  1,\n]\nend = { in = 2 }\n[[many]]\nz = 1\n'
    lines = key_lines(text)
    assert lines[("a", "b")] == 1
    assert lines[("t", "x")] == 3
    assert ("not", "a", "table") not in lines
    assert lines[("t", "list")] == 7
    assert lines[("t", "end", "in")] == 10
    assert lines[("many", "z")] == 12
    assert line_of(lines, ("t", "missing")) == 2
    assert line_of(lines, ("nowhere",)) is None


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_config_or_a_config_error(text: str) -> None:
    try:
        parse(text)
    except ConfigError as error:
        assert str(error)


@settings(deadline=None)
@given(
    st.recursive(
        st.one_of(st.text(max_size=8), st.integers(-5, 5), st.booleans(), st.floats(allow_nan=True)),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=4,
    ),
    st.sampled_from(["sandbox.cpus", "agent.command", "agent.x", "gateway.a", "checks", "limits", "sandbox.env"]),
)
def test_any_value_for_any_key_is_taken_or_named(value: object, key: str) -> None:
    try:
        parse("", overrides={key: value})
    except ConfigError as error:
        assert error.key.startswith(key.split(".", maxsplit=1)[0])
