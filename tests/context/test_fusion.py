"""The learned trees answer as they were trained, and ask only for properties that candidates have."""

from __future__ import annotations

import numpy as np
import pytest
from switchyard_context.evidence import gather
from switchyard_context.features import Candidates, describe_candidates
from switchyard_context.fusion import parse_trees, weigh
from switchyard_context.mentions import read_mentions
from switchyard_context.rank_fusion import fuse

from tests.context.conftest import Project

TREES = parse_trees(
    {
        "columns": ["a", "b"],
        "depth": 2,
        "trees": [
            {
                "features": [0, 1],
                "thresholds": [0.5, 2.0],
                "children": [[-1, 1], [-2, -3]],
                "leaves": [1.0, 10.0, 100.0],
            },
            {"features": [1], "thresholds": [3.0], "children": [[-1, -2]], "leaves": [0.25, 0.5]},
        ],
    }
)


@pytest.mark.parametrize(
    ("row", "expected"),
    [((0.5, 9.0), 1.5), ((0.6, 2.0), 10.25), ((0.6, 2.1), 100.25), ((0.6, 3.1), 100.5)],
)
def test_each_tree_says_the_value_of_the_leaf_that_a_row_reaches(row: tuple[float, float], expected: float) -> None:
    assert TREES.predict(np.array([row])).tolist() == [expected]


def test_rows_are_weighed_apart_from_one_another() -> None:
    rows = np.array([(0.5, 9.0), (0.6, 2.0), (0.6, 3.1)])
    assert TREES.predict(rows).tolist() == [1.5, 10.25, 100.5]


def test_the_shipped_trees_ask_only_for_properties_that_candidates_have(project: Project) -> None:
    codebase = project.commit({"a.py": "def parse(): ...\n", "b.py": "import a\n"}).codebase()
    mentions = read_mentions("parse fails")
    candidates = describe_candidates(codebase, mentions, gather(codebase, mentions))
    assert len(weigh(candidates)) == len(candidates.files) > 0


def test_the_order_of_columns_does_not_matter(project: Project) -> None:
    codebase = project.commit({"a.py": "def parse(): ...\n", "b.py": "import a\n"}).codebase()
    mentions = read_mentions("parse fails")
    found = describe_candidates(codebase, mentions, gather(codebase, mentions))
    turned = Candidates(found.files, found.columns[::-1], found.rows[:, ::-1])
    assert weigh(turned).tolist() == weigh(found).tolist()


def test_more_evidence_never_sets_a_file_back(project: Project) -> None:
    codebase = project.commit({f"m{n}.py": f"def parse_{n}(): ...\n" for n in range(5)}).codebase()
    mentions = read_mentions("parse fails")
    found = describe_candidates(codebase, mentions, gather(codebase, mentions))
    for place, name in enumerate(found.columns):
        if name.startswith(("share:", "rank:")):
            raised = found.rows.copy()
            raised[:, place] = 1.0
            assert (weigh(Candidates(found.files, found.columns, raised)) >= weigh(found) - 1e-9).all(), name


def test_ranks_are_fused_and_silence_counts_for_nothing() -> None:
    fused = fuse([np.array([3.0, 1.0, 0.0]), np.array([0.0, 5.0, 5.0])], weights=(1.0, 1.0))
    assert fused.argmax() == 1
    assert fused[2] == pytest.approx(1 / 60)
