"""When a pull request may land: what people, checks and the forge say of it, against the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from switchyard_merge.forge.contract import Forge, MergeMethod, Standing

_SETTLING_TRIES = 5
_SETTLING_S = 2.0


@dataclass(frozen=True)
class LandingRules:
    """When and how a pull request lands."""

    method: MergeMethod = "squash"
    needs_approval: bool = True
    required_checks: tuple[str, ...] = ()
    """Checks of the forge that must have passed; one of any other name must only not be red or running."""
    reds: int = 2
    """Red runs it takes to eject one: 1 believes the first."""
    batch: int = 1
    """How many are checked together before the first lands. Where the forge can, its base moves once for all of them;
    elsewhere they land one by one, and what the base would be after each of them is checked, too."""
    deletes_branches: bool = True


def settled_standing(forge: Forge, number: int, pause: Callable[[float], None]) -> Standing:
    """What the forge says of a pull request, once it has worked it out; after 10 s, what it says then.

    Args:
        pause: Waits, in seconds.
    """
    standing = forge.standing(number)
    for _ in range(_SETTLING_TRIES):
        if standing.mergeable is not None or standing.blocked:
            break
        pause(_SETTLING_S)
        standing = forge.standing(number)
    return standing


def not_ready(standing: Standing, rules: LandingRules, *, is_cleared: bool = False) -> str:
    """Why people, checks or the forge do not let a pull request land; empty: they do.

    Args:
        is_cleared: Nobody has to approve it.
    """
    failed = sorted(name for name, state in standing.checks.items() if state == "failed")
    running = {name for name, state in standing.checks.items() if state == "pending"}
    running |= {name for name in rules.required_checks if name not in standing.checks}
    reasons = [
        (standing.changes_requested, "a reviewer requested changes"),
        (bool(standing.blocked), standing.blocked),
        (rules.needs_approval and not is_cleared and not standing.approved, "nobody has approved it yet"),
        (bool(failed), f"checks failed: {', '.join(failed)}"),
        (bool(running), f"checks have not finished: {', '.join(sorted(running))}"),
        (standing.mergeable is None, "the forge has not worked out yet whether it can be merged"),
        (standing.mergeable is False, "it conflicts with its base"),
    ]
    return next((why for holds, why in reasons if holds), "")
