"""Where a program is on this machine, and what a sandbox is shown of it: that, and not what lies beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchyard.agents import AgentError, ImageTools, MachineTools
from switchyard.config import parse_config
from switchyard.staffing import npm_packages

SCRIPT = "#!/usr/bin/env node\n"


def program(place: Path, text: str = "\x7fELF") -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(0o755)
    return place


def linked(folder: Path, name: str, target: Path) -> Path:
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    (folder / "bin" / name).symlink_to(target)
    return folder / "bin"


def test_what_the_system_has_needs_nothing() -> None:
    found = MachineTools("/usr/bin:/bin").find(("sh", "-c", "x"))
    assert (found.command, found.tools) == (("sh", "-c", "x"), ())


def test_a_global_package_is_shown_without_its_neighbours(tmp_path: Path) -> None:
    modules = tmp_path / "lib" / "node_modules"
    real = program(modules / "@openai" / "codex" / "bin" / "codex.js")
    program(modules / "@openai" / "secret" / "x")
    found = MachineTools(str(linked(tmp_path, "codex", real))).find(("codex", "--flag"))
    (tool,) = found.tools
    assert found.command == ("codex", "--flag")
    assert (tool.name, tool.root, tool.entry) == ("codex", modules / "@openai" / "codex", "bin/codex.js")
    assert tool.executable == real


def test_a_local_package_is_shown_with_the_packages_that_it_needs(tmp_path: Path) -> None:
    real = program(tmp_path / "node_modules" / "tool" / "cli.js")
    (tool,) = MachineTools(str(linked(tmp_path, "tool", real))).find(("tool",)).tools
    assert (tool.root, tool.entry) == (tmp_path / "node_modules", "tool/cli.js")


def test_an_executable_alone_is_shown_alone(tmp_path: Path) -> None:
    real = program(tmp_path / "somewhere" / "claude")
    found = MachineTools("/usr/bin").find((str(real), "-x"))
    (tool,) = found.tools
    assert found.command == ("claude", "-x")
    assert (tool.root, tool.entry) == (real, "")


def test_a_script_brings_its_node_where_the_system_has_none(tmp_path: Path) -> None:
    node = program(tmp_path / "node" / "bin" / "node")
    real = program(tmp_path / "lib" / "node_modules" / "gemini" / "gemini.js", SCRIPT)
    path = f"{linked(tmp_path, 'gemini', real)}:{node.parent}"
    assert [tool.root for tool in MachineTools(path).find(("gemini",)).tools[1:]] == [node]
    with pytest.raises(AgentError, match="needs node"):
        MachineTools(str(tmp_path / "bin")).find(("gemini",))


def test_what_is_missing_is_told_with_how_it_is_had() -> None:
    with pytest.raises(AgentError, match="codex is not on this machine's PATH") as caught:
        MachineTools("/nowhere").find(("codex",))
    assert "npm install --global @openai/codex" in caught.value.hint


def test_an_image_has_what_it_has() -> None:
    assert ImageTools().find(("codex",)).command == ("codex",)


def test_an_image_gets_the_packages_of_known_programs_alone() -> None:
    config = parse_config(
        '[agent]\nkind = "codex"\n[agent.second]\nkind = "acp"\ncommand = ["gemini", "--acp"]\n'
        '[agent.third]\nkind = "acp"\ncommand = ["goose"]\n[agent.fourth]\nkind = "command"\ncommand = ["claude"]\n',
        Path("switchyard.toml"),
    )
    assert [package.rpartition("@")[0] for package in npm_packages(config)] == ["@google/gemini-cli", "@openai/codex"]
