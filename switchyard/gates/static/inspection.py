"""All static gates over one change, one after the other; each says something."""

from __future__ import annotations

from switchyard.gates.change import Change
from switchyard.gates.static.content import find_escalations
from switchyard.gates.static.dependencies import find_dependencies
from switchyard.gates.static.files import find_odd_files
from switchyard.gates.static.licences import find_licence_changes
from switchyard.gates.static.rules import Rules
from switchyard.gates.static.secrets import find_secrets
from switchyard.gates.static.surface import attest_surface
from switchyard.gates.static.text import added_texts
from switchyard.gates.static.workflows import find_obeyed
from switchyard.packets import GateResult


def inspect_change(change: Change, rules: Rules) -> list[GateResult]:
    """One result per gate, always all of them, in this order; never raises, whatever the bytes are."""
    texts = list(added_texts(change))
    return [
        find_secrets(change, texts),
        find_dependencies(change, rules),
        find_licence_changes(change),
        find_escalations(change, texts, rules),
        find_obeyed(change, rules),
        find_odd_files(change, texts, rules),
        attest_surface(change),
    ]
