"""Coding agents: how each is started in a sandbox, what it is told, and what its stream tells."""

from switchyard.agents.acp import AcpAgent
from switchyard.agents.claude import ClaudeAgent
from switchyard.agents.codex import CodexAgent
from switchyard.agents.command import CommandAgent
from switchyard.agents.contract import Agent, AgentError, Assignment, Capabilities, Launch, Places
from switchyard.agents.events import AgentEvent, Ending, Outcome, Usage
from switchyard.agents.installed import ImageTools, Installed, MachineTools, npm_package
from switchyard.agents.prompt import GUIDES, Briefing, render_prompt, unread_guides
from switchyard.agents.result import SCHEMA_FILE, LeftResult, collect_result, correction, result_schema
from switchyard.agents.runner import AgentRunner, Timers, Turn

__all__ = [
    "GUIDES",
    "SCHEMA_FILE",
    "AcpAgent",
    "Agent",
    "AgentError",
    "AgentEvent",
    "AgentRunner",
    "Assignment",
    "Briefing",
    "Capabilities",
    "ClaudeAgent",
    "CodexAgent",
    "CommandAgent",
    "Ending",
    "ImageTools",
    "Installed",
    "Launch",
    "LeftResult",
    "MachineTools",
    "Outcome",
    "Places",
    "Timers",
    "Turn",
    "Usage",
    "collect_result",
    "correction",
    "npm_package",
    "render_prompt",
    "result_schema",
    "unread_guides",
]
