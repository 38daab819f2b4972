"""What `doctor` finds out about a configuration before a run has to."""

from __future__ import annotations

import pytest

from switchyard.workflow.examining import script_of


@pytest.mark.parametrize(
    ("command", "script"),
    [
        (("sh", ".agents/apply.sh", "{task_id}"), ".agents/apply.sh"),
        (("./tools/agent", "{prompt_file}"), "tools/agent"),
        (("python3", "-u", "tools/agent.py"), "tools/agent.py"),
        (("python3", "-m", "agent.main"), ""),
        (("python3", "-u", "-m", "agent.main", "a/b"), ""),
        (("sh", "agent.sh"), "agent.sh"),
        (("./agent", "{task_id}"), "agent"),
        (("python3", "-W", "ignore", "agent.py"), ""),
        (("claude", "-p", "{prompt_file}"), ""),
        (("/usr/bin/agent",), ""),
        (("sh", "-c", "tools/agent {task_id}"), ""),
        (("sh", "$HOME/agent/run.sh"), ""),
        (("sh", "agents/{task_id}.sh"), ""),
        (("sh",), ""),
        ((), ""),
    ],
)
def test_a_script_of_the_repository_is_told_from_other_commands(command: tuple[str, ...], script: str) -> None:
    assert script_of(command) == script
