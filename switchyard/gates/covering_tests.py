"""What the import graph says of the tests for a change, and of what no test reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from switchyard.packets import Covering, GateFinding, GateResult
from switchyard.quoting import code

_MOST_FINDINGS = 50


def judge_covering(covering: Covering, checks: Mapping[str, str]) -> Iterator[GateResult]:
    """The gate `covering-tests`, and one for each check that asks for tests where the change has none."""
    if not covering.sources:
        yield GateResult.skipped("covering-tests", "no source file that the import graph knows was changed")
    else:
        unreached = covering.unreached
        findings = [
            GateFinding(title="no test reaches it, by the imports", asks="note", path=path)
            for path in unreached[:_MOST_FINDINGS]
        ]
        if len(unreached) > _MOST_FINDINGS:
            findings.append(GateFinding(title=f"and {len(unreached) - _MOST_FINDINGS} more", asks="note"))
        reached = covering.sources - len(unreached)
        reason = f"tests reach {reached} of {covering.sources} changed sources through imports"
        yield GateResult.of("covering-tests", findings, reason)
    if not covering.tests:
        for name, command in checks.items():
            if "{tests}" in command:
                yield GateResult.skipped(f"check:{name}", f"{code(name)} was not run: no test covers the change")
