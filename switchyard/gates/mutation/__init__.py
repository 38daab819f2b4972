"""Faults put into changed lines: would the tests notice if this line were wrong?"""

from switchyard.gates.mutation.choice import choose_mutants
from switchyard.gates.mutation.generation import is_readable, mutants_of
from switchyard.gates.mutation.judging import GATE, Trial, judge_mutation
from switchyard.gates.mutation.model import Mutant, Operator

__all__ = ["GATE", "Mutant", "Operator", "Trial", "choose_mutants", "is_readable", "judge_mutation", "mutants_of"]
