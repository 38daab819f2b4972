"""What one role proposed, as the next one, or a person, reads it: quoted, for it is an agent's word."""

from __future__ import annotations

from collections.abc import Sequence

from switchyard.packets import ClarifyPacket, PlanPacket
from switchyard.quoting import block


def describe_criteria(packet: ClarifyPacket) -> str:
    """The proposed acceptance; empty where there is none."""
    return block("\n".join(_listed(packet.acceptance))) if packet.acceptance else ""


def describe_questions(packet: ClarifyPacket) -> str:
    """What a person is asked."""
    return block("\n".join(f"{number}. {question}" for number, question in enumerate(packet.questions, 1)))


def describe_plan(packet: PlanPacket) -> str:
    """The whole plan."""
    targets = [
        f"{target.action} {target.path}{': ' if target.reason else ''}{target.reason}" for target in packet.targets
    ]
    steps = [f"{number}. {step}" for number, step in enumerate(packet.steps, 1)]
    parts = [("", [packet.summary]), ("Steps:", steps), ("Files:", _listed(targets))]
    parts += [
        ("Tests:", _listed(packet.tests)),
        ("Risks:", _listed(packet.risks)),
        ("Open:", _listed(packet.questions)),
    ]
    return block("\n\n".join("\n".join([head, *lines]).strip() for head, lines in parts if lines))


def _listed(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]
