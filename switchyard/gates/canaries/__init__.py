"""Canaries: changes whose fault is known, to try reviewers by, and what their results say of a reviewer."""

from switchyard.gates.canaries.corpus import Canary, load_canaries
from switchyard.gates.canaries.standing import Standing, Trial, due_canaries, standing_of

__all__ = ["Canary", "Standing", "Trial", "due_canaries", "load_canaries", "standing_of"]
