"""An agent's account of its work, `result.json`, as a tool in its sandbox adds to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from switchyard.errors import UsageError

if TYPE_CHECKING:
    from switchyard.packets import Discovery

NO_SUMMARY = "(the agent gave no summary)"
"""What an account says that the agent never wrote itself; the schema asks for one."""


def add_finding(file: Path, finding: Discovery) -> str:
    """Put a finding into the account, which is begun where there is none, and say what the agent must know.

    Raises:
        UsageError: What is there is no JSON object with a list of findings.
    """
    try:
        account = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"summary": NO_SUMMARY}
    except ValueError as err:
        raise UsageError(f"~/{file.name} is not JSON", hint="write it anew") from err
    found = account.setdefault("discovered", []) if isinstance(account, dict) else None
    if not isinstance(found, list):
        raise UsageError(f"~/{file.name} has no list of findings", hint="follow its schema")
    if (told := finding.model_dump(mode="json")) not in found:
        found.append(told)
    file.write_text(json.dumps(account, indent=2), encoding="utf-8")
    return f"recorded in `discovered` of ~/{file.name}; keep that list when you write the file"
