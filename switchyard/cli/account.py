"""An agent's account of its work, `result.json`, as a tool in its sandbox adds to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchyard.errors import UsageError

if TYPE_CHECKING:
    from switchyard.packets import Discovery

NO_SUMMARY = "(the agent gave no summary)"
"""What an account says that the agent never wrote itself; the schema asks for one."""


def add_finding(file: Path, finding: Discovery) -> str:
    """Put a finding into the account, which is begun where there is none, and say what the agent must know.

    Raises:
        UsageError: What is there is no JSON object with a list of findings, or has no room for another.
    """
    from switchyard.packets.roles import MOST_ANSWER_BYTES, MOST_FOUND

    account = _read(file)
    found = account.setdefault("discovered", []) if isinstance(account, dict) else None
    if not isinstance(found, list):
        raise UsageError(f"~/{file.name} has no list of findings", hint="follow its schema")
    if (told := finding.model_dump(mode="json")) not in found:
        found.append(told)
    text = json.dumps(account, indent=2)
    # One finding too many would cost the whole account.
    if len(found) > MOST_FOUND or len(text) > MOST_ANSWER_BYTES:
        most = f"{MOST_FOUND} findings and {MOST_ANSWER_BYTES} bytes"
        raise UsageError(f"~/{file.name} is full: it takes {most}", hint="keep what matters most")
    file.write_text(text, encoding="utf-8")
    return f"recorded in `discovered` of ~/{file.name}; keep that list when you write the file"


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"summary": NO_SUMMARY}
    except (ValueError, RecursionError) as err:
        raise UsageError(f"~/{file.name} is not JSON", hint="write it anew") from err
    except OSError as err:
        raise UsageError(f"~/{file.name} cannot be read: {err.strerror}", hint="write it anew") from err
