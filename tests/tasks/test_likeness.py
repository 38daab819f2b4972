"""Findings that say the same are told from those that do not, on labelled pairs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from switchyard.tasks.likeness import SAME, Gist, find_twin, likeness

PAIRS = yaml.safe_load((Path(__file__).parent / "twins" / "pairs.yaml").read_text())
texts = st.text(max_size=60)
gists = st.builds(Gist.of, texts, texts, st.lists(texts, max_size=2))


def gist(line: str) -> Gist:
    paths, title, detail = line.split("|", 2)
    return Gist.of(title, detail, [path.strip() for path in paths.split(",") if path.strip()])


@pytest.mark.parametrize(("part", "precision", "recall"), [("tuned", 1.0, 0.96), ("held_out", 0.95, 0.86)])
def test_twins_are_found_and_few_others_taken_for_them(part: str, precision: float, recall: float) -> None:
    told = [(label == "twin", likeness(gist(one), gist(other)) >= SAME) for label, one, other in PAIRS[part]]
    found = [label for label, is_same in told if is_same]
    assert sum(found) / len(found) >= precision
    assert sum(found) / sum(label for label, _ in told) >= recall


def test_the_same_words_about_another_file_are_another_finding() -> None:
    here, there = (Gist.of("Unused import os", "", [path]) for path in ("a.py", "b.py"))
    assert find_twin(here, [there]) is None
    assert find_twin(here, [there, here]) == 1


def test_paths_that_are_spelled_otherwise_are_the_same() -> None:
    assert find_twin(Gist.of("Dust", "", ["./a//b.py"]), [Gist.of("Dust", "", ["a/b.py"])]) == 0


@given(gists, gists)
def test_likeness_is_a_symmetric_share(one: Gist, other: Gist) -> None:
    assert 0 <= likeness(one, other) <= 1.0001
    assert likeness(one, other) == pytest.approx(likeness(other, one))
