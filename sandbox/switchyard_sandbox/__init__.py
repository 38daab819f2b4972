"""Where a task runs: ephemeral boxes behind one Protocol, code in and code out, and nothing of a box trusted."""

# One name a line would make this page longer than it is worth.
# fmt: off
# isort: off
from switchyard_sandbox.contract import (
    INBOX, KEEP, WORKDIR, BadCode, BoxId, BoxInfo, BoxLost, BoxSpec, Chunk, CodeIn, Command, CommandId, Decision,
    Driver, Enforcement, Extraction, Finding, Finished, GatewayAccess, HostTool, IsolationUnavailable, Limits,
    LimitUnenforceable, OutputSink, Program, SandboxError, SetUp, SetUpFailed, Terminal, TerminalSize,
)
from switchyard_sandbox.embedded.driver import EmbeddedDriver
from switchyard_sandbox.none import NoneDriver

__all__ = [
    "INBOX", "KEEP", "WORKDIR", "BadCode", "BoxId", "BoxInfo", "BoxLost", "BoxSpec", "Chunk", "CodeIn", "Command",
    "CommandId", "Decision", "Driver", "EmbeddedDriver", "Enforcement", "Extraction", "Finding", "Finished",
    "GatewayAccess", "HostTool", "IsolationUnavailable", "LimitUnenforceable", "Limits", "NoneDriver", "OutputSink",
    "Program", "SandboxError", "SetUp", "SetUpFailed", "Terminal", "TerminalSize",
]
