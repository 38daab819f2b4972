"""What attempts look like one after the other, for those who compare them."""

from __future__ import annotations

from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.weighing import states_of


def test_a_file_that_a_later_attempt_leaves_alone_is_as_the_base_has_it() -> None:
    first = Change((ChangedFile("a", b"1", b"2"), ChangedFile("b", b"1", None, mode_after="")))
    second = Change((ChangedFile("a", b"1", b"3"), ChangedFile("c", None, b"1", mode_before="")))
    assert states_of([first, second]) == [{"a": b"1", "b": b"1"}, {"a": b"2"}, {"a": b"3", "b": b"1", "c": b"1"}]


def test_a_file_that_is_too_long_after_one_attempt_seems_taken_back_after_none() -> None:
    first, second = (
        Change((ChangedFile("a", b"1", after, size_after=size),)) for after, size in ((None, 9**9), (b"2", 1))
    )
    assert states_of([first, second]) == [{}, {}, {}]
