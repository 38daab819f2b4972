"""Any task that people could write."""

from __future__ import annotations

from hypothesis import strategies as st

from switchyard.packets import TaskId
from switchyard.tasks import Budget, Task, check_task_id

LINE_ENDS = "\r\n\x85\u2028\u2029"
words = st.text(min_size=1, max_size=20).filter(lambda text: text.strip() and "\n" not in text and "\r" not in text)
ids = (
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
    .filter(lambda text: not check_task_id(text))
    .map(TaskId)
)
paths = words.filter(lambda text: not text.startswith("/") and ".." not in text and "\0" not in text)
bodies = st.text(max_size=200).map(lambda text: text.replace("\r", ""))
numbers = st.floats(min_value=0.001, max_value=1e6, allow_nan=False)

tasks = st.builds(
    Task,
    id=ids,
    title=words,
    state=st.sampled_from(["draft", "ready", "held", "cancelled"]),
    depends_on=st.lists(ids, unique=True, max_size=3).map(tuple),
    targets=st.lists(paths, max_size=3).map(tuple),
    priority=st.integers(1, 4),
    labels=st.lists(words, max_size=3).map(tuple),
    agent=st.one_of(st.just(""), words),
    review_agent=st.one_of(st.just(""), words),
    context_files=st.lists(paths, max_size=3).map(tuple),
    test_requirements=st.one_of(st.just(""), bodies),
    checks=st.dictionaries(words, words, max_size=2),
    allow=st.lists(st.sampled_from(["tests", "protected", "dependencies"]), unique=True).map(tuple),
    budget=st.builds(Budget, minutes=st.none() | numbers, repairs=st.none() | st.integers(0, 10)),
    discovered_from=st.one_of(st.just(""), ids),
    body=bodies,
)
