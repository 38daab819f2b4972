"""What a person may do about a task that waits for them, by the kind of reason that it waits for."""

from __future__ import annotations

from switchyard.packets import PlannedTask, Proof

_TESTS = (
    "If the task was right to change what these tests demand, write `allow: [tests]` into its file and retry; tests "
    "that are switched off stay for you to accept. Else retry with a note that the tests must stay, or reject."
)
_PROTECTED = (
    "Read that part of the diff first: it can change what CI, git, editors or agents do. If it is wanted, accept the "
    "attempt as it is, or write `allow: [protected]` into the task and retry; if not, retry with a note."
)
_ADVICE = {
    "weakening": _TESTS,
    "workflows": _PROTECTED,
    "content": "What was touched is on your watch list: read those lines, then accept it, or retry with a note.",
    "dependencies": "Decide about the dependency: `allow: [dependencies]` in the task and retry, or accept, or reject.",
    "licences": "A licence is a matter for a person: accept if it is right, else retry with a note.",
    "secrets": "Something looks like a secret. If it is one, revoke it wherever it is valid, then reject or retry.",
    "files": "Look at the files that are named; accept if they belong there, else retry with a note.",
    "convergence": (
        "The agent goes in circles: another try will not help by itself. Retry with a note that says what to do "
        "otherwise, or split the task."
    ),
    "coverage": "Retry with a note that says which behaviour needs a test, or accept with the lines uncovered.",
    "mutation": "Retry with a note that says what the tests should have noticed, or accept.",
    "verifiers": (
        "Read what each verifier says, those that agree with you first: accept if the objections do not hold, else "
        "retry with the objection that does as the note."
    ),
}
_BY_WORDS = (
    ("protected paths were touched", _PROTECTED),
    ("conflict (", "Land or close the other one first, then retry: the task is built again on what stands then."),
    (
        "could not be started",
        "Mend the agent's command or the sandbox's set-up (`switchyard doctor`), then retry.",
    ),
    (
        "attempts failed",
        "Read the end of the last output below. Retry with a note on what the agent overlooked.",
    ),
    ("1 attempt failed", "Read the output below. Retry with a note, or give the task more `repairs` under `budget`."),
    (
        "agent gave no valid answer",
        "See below what it answered and printed. Mend its table in `switchyard.toml`, or what it runs, then retry.",
    ),
    ("question", "Answer with `--note` when you retry: the agent reads it."),
)
_UNBUILT = "Nothing was built yet: mend what the reason names, then retry, or reject."
_ELSE = "Read the reason and the last attempt; accept it, or retry with a note, or reject."


def advise(task: PlannedTask, reason: str, proof: Proof | None, *, is_built: bool = True) -> list[str]:
    """Steps that are likely to help, in Markdown, the most likely first; never none.

    Args:
        reason: Why the task waits.
        proof: What spoke for and against its last attempt; None: there was none.
        is_built: Whether there is anything that could be accepted.
    """
    gates = [gate.gate for gate, _ in proof.asking("person")] if proof else []
    found = [_ADVICE[name] for name in gates if name in _ADVICE]
    found += [advice for words, advice in _BY_WORDS if words in reason]
    if proof and any(not check.passed for check in proof.checks) and task.pushed:
        found.append("The task was published before: what landed since may be what its checks fail on.")
    return list(dict.fromkeys(found)) or [_ELSE if is_built else _UNBUILT]
