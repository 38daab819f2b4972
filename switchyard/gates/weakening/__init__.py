"""Test weakening, found by comparing the syntax trees of what the tests were with what a change makes of them."""

from switchyard.gates.weakening.detection import find_weakening, is_about_tests
from switchyard.gates.weakening.model import Kind, Severity, Weakening

__all__ = ["Kind", "Severity", "Weakening", "find_weakening", "is_about_tests"]
