"""Coding agents: how each is started in a sandbox, and what it is told."""

from switchyard.agents.command import CommandAgent
from switchyard.agents.contract import Agent, AgentError, Assignment, Launch, Places
from switchyard.agents.prompt import Briefing, render_prompt

__all__ = ["Agent", "AgentError", "Assignment", "Briefing", "CommandAgent", "Launch", "Places", "render_prompt"]
