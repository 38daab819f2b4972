"""What a run teaches, folded from the ledger: so far, how well the selected context fitted the work."""

from switchyard.reflection.selection import SCHEMA, SelectionScore, TaskScore, retro_document, score_run

__all__ = ["SCHEMA", "SelectionScore", "TaskScore", "retro_document", "score_run"]
