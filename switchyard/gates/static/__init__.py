"""Static gates: what a change's text and files say without being run."""

from switchyard.gates.static.inspection import inspect_change
from switchyard.gates.static.rules import Rules

__all__ = ["Rules", "inspect_change"]
