"""What is known of each candidate as numbers: a row a file, a column a property; a model weighs them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from switchyard_context.codebase import Codebase
from switchyard_context.evidence import Evidence, best_first
from switchyard_context.graph import is_test
from switchyard_context.mentions import Mentions
from switchyard_context.naming import stems_in
from switchyard_context.signals.lexical import Scores

_BEST, _BEST_OF_EACH = 200, 30
_FOLDER_VOTERS = 50
_NAMED_BY_PATH = 1.0
_ASIDE = re.compile(
    r"(?:^|/)(?:docs?|examples?|samples?|demos?|bench(?:marks?|es)?|vendor|third_party|fixtures?|playground|scripts?"
    r"|tools?|www|website|templates?)/",
    re.IGNORECASE,
)
_GATHERING = frozenset(
    ("__init__.py", "index.ts", "index.js", "index.tsx", "mod.rs", "lib.rs", "package-info.java", "doc.go")
)


@dataclass(frozen=True)
class Candidates:
    """The files that may be meant."""

    files: list[int]
    columns: tuple[str, ...]
    rows: npt.NDArray[np.float64]
    """Shape (files, columns)."""


def describe_candidates(codebase: Codebase, mentions: Mentions, evidence: Evidence) -> Candidates:
    """The files for which any evidence speaks, tests left out unless the text names them by path."""
    files = _choose(codebase.graph.files, evidence)
    columns: dict[str, npt.NDArray[np.float64]] = {}
    own = np.array(files, dtype=np.int64)
    signals = {
        **evidence.signals,
        "first": evidence.first,
        "folder": _folder_votes(codebase.graph.files, evidence, files),
    }
    for name, scores in sorted(signals.items()):
        at = scores if name == "folder" else scores[own]
        most = float(scores.max()) if len(scores) else 0.0
        columns[f"share:{name}"] = at / most if most > 0 else at
        columns[f"rank:{name}"] = _reciprocal_ranks(scores, at)
    paths = [codebase.graph.files[file] for file in files]
    columns |= _by_path(paths, mentions, evidence) | _by_graph(codebase, own)
    columns["named_parts"] = evidence.signals["path"][own]
    for name, value in _of_text(codebase, mentions).items():
        columns[name] = np.full(len(files), np.log1p(value))
    return Candidates(files, tuple(columns), np.column_stack(list(columns.values())))


def _choose(paths: Sequence[str], evidence: Evidence) -> list[int]:
    found = set(best_first(evidence.first, _BEST))
    for scores in evidence.signals.values():
        found.update(best_first(scores, _BEST_OF_EACH))
    named = evidence.signals["path"]
    return [file for file in sorted(found) if named[file] > _NAMED_BY_PATH or not is_test(paths[file])]


def _reciprocal_ranks(scores: Scores, wanted: Scores) -> Scores:
    levels = np.unique(scores[scores > 0])
    ranks = len(levels) - np.searchsorted(levels, wanted)
    reciprocal: Scores = np.where(wanted > 0, 1 / np.maximum(1, ranks), 0.0)
    return reciprocal


def _folder_votes(paths: Sequence[str], evidence: Evidence, files: Sequence[int]) -> Scores:
    votes: dict[str, float] = {}
    for file in best_first(evidence.first, _FOLDER_VOTERS):
        folder = paths[file].rpartition("/")[0]
        votes[folder] = votes.get(folder, 0.0) + float(evidence.first[file])
    return np.array([votes.get(paths[file].rpartition("/")[0], 0.0) for file in files])


def _by_path(paths: Sequence[str], mentions: Mentions, evidence: Evidence) -> dict[str, npt.NDArray[np.float64]]:
    rarity = evidence.matches["name_word"].rarity
    unknown = max(rarity.values(), default=1.0)
    named, titled = [], []
    for path in paths:
        stems = set(stems_in(path.rpartition("/")[2].partition(".")[0]))
        whole = sum(rarity.get(stem, unknown) for stem in sorted(stems)) or 1.0
        named.append(sum(rarity[stem] for stem in sorted(stems) if stem in mentions.words) / whole)
        titled.append(sum(rarity[stem] for stem in sorted(stems) if stem in mentions.title) / whole)
    return {
        "name_covered": np.array(named),
        "name_covered_by_title": np.array(titled),
        "depth": np.array([path.count("/") for path in paths], dtype=np.float64),
        "aside": np.array([_ASIDE.search(path) is not None for path in paths], dtype=np.float64),
        "gathering": np.array([path.rpartition("/")[2] in _GATHERING for path in paths], dtype=np.float64),
        "declarations": np.array([path.endswith((".d.ts", ".pyi")) for path in paths], dtype=np.float64),
    }


def _by_graph(codebase: Codebase, own: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float64]]:
    graph = codebase.graph
    size = len(graph.files)
    return {
        "importers": np.log1p(np.bincount(graph.imported_ids, minlength=size)[own]),
        "imports": np.log1p(np.bincount(graph.importers_ids, minlength=size)[own]),
        "length": np.log1p(codebase.terms.lengths("word")[own]),
    }


def _of_text(codebase: Codebase, mentions: Mentions) -> dict[str, int]:
    return {
        "text_words": len(mentions.stems),
        "text_title": len(mentions.title),
        "text_names": len(mentions.names),
        "text_code": len(mentions.code),
        "text_frames": len(mentions.frames),
        "history": len(codebase.history),
    }
