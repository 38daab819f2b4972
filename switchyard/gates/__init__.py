"""Gates: what an attempt must pass before anyone is asked to look at it."""

from switchyard.gates.checks import checks_for, describe_failure, in_environments
from switchyard.gates.policy import Policy, decide, touches_protected
from switchyard.gates.test_files import touches_tests

__all__ = [
    "Policy",
    "checks_for",
    "decide",
    "describe_failure",
    "in_environments",
    "touches_protected",
    "touches_tests",
]
