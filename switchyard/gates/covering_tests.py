"""What the import graph says of the tests for a change, and of what no test reaches."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from switchyard.packets import Covering, GateFinding, GateResult
from switchyard.quoting import code

_MOST_FINDINGS = 50


def judge_covering(covering: Covering, left_out: Collection[str]) -> Iterator[GateResult]:
    """The gate `covering-tests`, and one for each check that asks for tests where the change has none.

    Args:
        left_out: The names of these checks.
    """
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
    for name in left_out:
        yield GateResult.skipped(f"check:{name}", f"{code(name)} was not run: no test covers the change")
