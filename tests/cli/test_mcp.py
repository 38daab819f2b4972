"""`switchyard mcp` as a client of the protocol finds it, on the host and in a sandbox."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from switchyard_git import Repository

from switchyard.agents.result import read_result
from switchyard.cli.account import NO_SUMMARY, add_finding
from switchyard.cli.serving import build_server
from switchyard.errors import UsageError
from switchyard.packets import BuildResultPacket, Discovery
from switchyard.tasks import load_tasks

TREE = {"app.py": "import lib\n\n\ndef sell() -> None: ...\n", "lib.py": "def price() -> int: ...\n"}
TREE |= {"test_app.py": "import app\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "a repo"
    Repository.init(folder)
    for name, text in TREE.items():
        (folder / name).write_text(text)
    return folder


def ask(repo: Path, calls: Callable[[Client], Awaitable[Any]]) -> Any:
    """Talk to a server of its own process."""
    env = {"HOME": str(repo.parent), "PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null"}
    program = ["-m", "switchyard.cli.main", "mcp", "--repo", str(repo)]
    server = StdioServerParameters(command=sys.executable, args=program, env=env, cwd=repo)

    async def talk() -> Any:
        async with Client(server) as client:
            return await calls(client)

    return asyncio.run(talk())


@pytest.mark.nightly
def test_a_client_asks_for_context_and_files_a_finding_once(repo: Path) -> None:
    async def calls(client: Client) -> list[str]:
        asked = [
            ("context", {"text": "What does price cost?"}),
            ("context", {"paths": ["lib.py"], "show": "impact"}),
            ("context", {"paths": ["app.py"], "show": "tests"}),
            ("context", {"paths": ["test_app.py", "lib.py"], "show": "why"}),
            ("context", {"show": "tests"}),
            ("discovered", {"title": "price() is never negative", "paths": ["lib.py"]}),
            ("discovered", {"title": "price() never is negative", "paths": ["lib.py"]}),
            ("context", {"text": "zzz"}),
        ]
        answers = [await client.call_tool(name, arguments) for name, arguments in asked]
        return [f"{'failed: ' if one.is_error else ''}{one.content[0].text}" for one in answers]  # type: ignore[union-attr]

    selection, impact, tests, why, wrong, filed, again, nothing = ask(repo, calls)
    assert nothing == "nothing in the repository answers that"
    assert "lib.py" in selection
    assert impact.splitlines() == ["app.py", "test_app.py"]
    assert tests.startswith("test_app.py: ")
    assert "test_app.py:1 imports app.py" in why
    assert wrong.startswith("failed: ")
    assert "give paths" in wrong
    (draft,) = load_tasks(repo / ".switchyard" / "tasks")
    assert filed == f"filed as the draft {draft.id}"
    assert again == f"{draft.id} says the same already"
    assert (draft.state, draft.discovered_from, draft.targets) == ("draft", "", ("lib.py",))


def test_the_tools_tell_what_they_take(repo: Path) -> None:
    async def look() -> dict[str, Any]:
        async with Client(build_server(repo, lambda finding: finding.title)) as client:
            return {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}

    schemas = asyncio.run(look())
    assert set(schemas["context"]["properties"]) == {"text", "seeds", "paths", "show", "budget_tokens"}
    assert schemas["discovered"]["required"] == ["title"]


def test_in_a_sandbox_a_finding_goes_into_the_agents_account(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    dust, rust = (Discovery(title=title) for title in ("Dust", "Rust"))
    add_finding(file, dust)
    account = BuildResultPacket.model_validate_json(file.read_bytes())
    assert (account.summary, account.discovered) == (NO_SUMMARY, (dust,))
    file.write_text(json.dumps({**json.loads(file.read_text()), "summary": "Swept."}))
    for finding in (rust, rust):
        add_finding(file, finding)
    account = BuildResultPacket.model_validate_json(file.read_bytes())
    assert (account.summary, account.discovered) == ("Swept.", (dust, rust))


def test_a_finding_too_many_does_not_cost_the_account(tmp_path: Path) -> None:
    for kind in ("many", "long"):
        file, detail = tmp_path / f"{kind}.json", "x" * 20_000 if kind == "long" else ""
        with pytest.raises(UsageError, match="is full"):
            for number in range(51):
                add_finding(file, Discovery(title=f"Dust {number}", detail=detail))
        assert read_result(file.read_bytes(), BuildResultPacket).fault == ""


def test_findings_that_are_told_at_once_are_all_kept(repo: Path, tmp_path: Path) -> None:
    file = tmp_path / "result.json"

    async def tell() -> list[Any]:
        async with Client(build_server(repo, lambda finding: add_finding(file, finding))) as client:
            calls = [client.call_tool("discovered", {"title": f"Dust {number}"}) for number in range(20)]
            return list(await asyncio.gather(*calls))

    assert not any(answer.is_error for answer in asyncio.run(tell()))
    assert len(json.loads(file.read_text())["discovered"]) == 20


@pytest.mark.parametrize("there", ["not json", "[]", '{"discovered": 1}', "[" * 100_000])
def test_an_account_that_is_none_is_left_as_it_is(tmp_path: Path, there: str) -> None:
    file = tmp_path / "result.json"
    file.write_text(there)
    with pytest.raises(UsageError):
        add_finding(file, Discovery(title="Dust"))
    assert file.read_text() == there
