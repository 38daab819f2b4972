"""The agents of a configuration: each by its table's kind, with what of this machine its sandbox needs.

Part of the composition root: picks from literal dicts. Nothing is started.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from switchyard_sandbox.gateway.endpoints import kind_of

from switchyard import config as settings
from switchyard.agents import (
    AcpAgent,
    Agent,
    AgentError,
    ClaudeAgent,
    CodexAgent,
    CommandAgent,
    ImageTools,
    Installed,
    MachineTools,
    npm_package,
)
from switchyard.agents.acp import CLIENT
from switchyard.config import Config
from switchyard.workflow.programs import acp_program


class Tools(Protocol):
    """Where a kind of sandbox has its programs from."""

    def find(self, command: Sequence[str]) -> Installed:
        """The program of a command line as the sandbox finds it. Raises AgentError where it is missing."""


def open_agents(config: Config, environ: Mapping[str, str]) -> dict[str, Agent]:
    """Every agent of the configuration by its table's name; "" is the default.

    Args:
        environ: Its PATH is where the machine's programs are looked up.

    Raises:
        AgentError: A program or a package is not on this machine, a command is none, or there is no model to talk to.
    """
    tables = dict(config.agents)
    if config.agent is not None:
        tables[""] = config.agent
    tools = _TOOLS[config.sandbox.kind](environ.get("PATH", ""))
    for name, table in tables.items():
        _refuse_speechless(name or "default", table.kind, config)
    return {name: _AGENTS[table.kind](name or "default", table, tools) for name, table in tables.items()}


def npm_packages(config: Config) -> tuple[str, ...]:
    """The npm packages, in pinned versions, of the known agents in a configuration: what an image of ours has in it."""
    tables = [*config.agents.values(), *([config.agent] if config.agent else [])]
    programs = {(table.command or (table.kind,))[0] for table in tables if table.kind != "command"}
    return tuple(sorted(package for program in programs if (package := npm_package(program))))


def _refuse_speechless(name: str, kind: str, config: Config) -> None:
    """An agent of a provider needs an endpoint of it, unless the sandbox's own variables name one."""
    if kind not in _PROVIDERS:
        return
    provider, variable = _PROVIDERS[kind]
    spoken = {table.kind or kind_of(endpoint) for endpoint, table in config.gateway.items()}
    if provider not in spoken and variable not in config.sandbox.env:
        raise AgentError(
            f"agent {name!r} of kind {kind!r} has no model to talk to",
            hint=f"add an endpoint of kind {provider!r} under [gateway]",
        )


def _command(name: str, table: settings.Agent, tools: Tools) -> Agent:
    return CommandAgent(name, table.command)


def _codex(name: str, table: settings.Agent, tools: Tools) -> Agent:
    found = tools.find(table.command or ("codex",))
    return CodexAgent(name, found.command, found.tools)


def _claude(name: str, table: settings.Agent, tools: Tools) -> Agent:
    found = tools.find(table.command or ("claude",))
    return ClaudeAgent(name, found.command, found.tools)


def _acp(name: str, table: settings.Agent, tools: Tools) -> Agent:
    found = tools.find(table.command)
    return AcpAgent(name, found.command, (*found.tools, acp_program(CLIENT)))


_AGENTS: dict[str, Callable[[str, settings.Agent, Tools], Agent]] = {
    "command": _command,
    "codex": _codex,
    "claude": _claude,
    "acp": _acp,
}
_PROVIDERS = {"codex": ("openai", "OPENAI_BASE_URL"), "claude": ("anthropic", "ANTHROPIC_BASE_URL")}
_TOOLS: dict[str, Callable[[str], Tools]] = {
    "embedded": MachineTools,
    "none": MachineTools,
    "docker": lambda path: ImageTools(),
    "daytona": lambda path: ImageTools(),
}
