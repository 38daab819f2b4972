"""How well the gate tells real commits apart that weaken tests, against labels given by hand.

    WEAKENING_MIRROR=FOLDER python -m benchmarks.weakening_commits [--part PART] [--show missed|alarmed|understated]…

The labels stand in tests/gates/weakening_corpus/commits.tsv, one line a commit of a public repository. The repositories
are not part of this one: FOLDER holds a bare clone of each as `owner+name/repo`, `owner+name` or `owner/name`. Commits
of which there is no clone are counted apart.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from switchyard.gates.weakening import Severity, Weakening, find_weakening

LABELS = Path("tests/gates/weakening_corpus/commits.tsv")
MIRROR = "WEAKENING_MIRROR"


@dataclass(frozen=True)
class Labelled:
    """One real commit, and what it does to the tests."""

    part: str
    language: str
    repository: str
    commit: str
    label: str
    """`ordinary`, `changed` or `weakened`."""
    reason: str


@dataclass(frozen=True)
class Judged:
    """A commit with what the detector says of it."""

    labelled: Labelled
    found: tuple[Weakening, ...]

    @property
    def is_missed(self) -> bool:
        return self.labelled.label != "ordinary" and not self.found

    @property
    def is_alarmed(self) -> bool:
        return self.labelled.label == "ordinary" and bool(self.found)

    @property
    def is_understated(self) -> bool:
        """Weakened, and taken for no more than another expectation, which a task may allow."""
        return self.labelled.label == "weakened" and all(item.kind.severity is Severity.CHANGED for item in self.found)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--part", choices=("tuned", "held_out", "fresh", "last", "all"), default="all")
    parser.add_argument("--show", action="append", choices=("missed", "alarmed", "understated"), default=[])
    options = parser.parse_args(argv)
    mirror = os.environ.get(MIRROR)
    if not mirror:
        print(json.dumps({"benchmark": "weakening_commits", "skipped": f"{MIRROR} names no folder of clones"}))
        return 0
    listed = [item for item in read_labels(LABELS) if options.part in ("all", item.part)]
    judged = list(judge_all(listed, Path(mirror)))
    for item in judged:
        _show(item, options.show)
    print(json.dumps(summarise(judged, len(listed)), indent=2))
    return 0


def read_labels(path: Path) -> list[Labelled]:
    with path.open(newline="", encoding="utf-8") as stream:
        return [Labelled(**row) for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)]


def judge_all(listed: Iterable[Labelled], mirror: Path) -> Iterator[Judged]:
    """Every commit of which there is a clone."""
    for item in listed:
        clone = clone_of(item.repository, mirror)
        sides = read_commit(clone, item.commit) if clone is not None else None
        if sides is not None:
            yield Judged(item, find_weakening(*sides))


def summarise(judged: Sequence[Judged], listed: int) -> dict[str, object]:
    """Rates for all and for each language, as JSON values."""
    languages = sorted({item.labelled.language for item in judged})
    return {
        "benchmark": "weakening_commits",
        "listed": listed,
        "skipped": listed - len(judged),
        "all": _rates(judged),
        **{language: _rates([item for item in judged if item.labelled.language == language]) for language in languages},
    }


def _rates(judged: Sequence[Judged]) -> dict[str, object]:
    labels = Counter(item.labelled.label for item in judged)
    weak = [item for item in judged if item.labelled.label == "weakened"]
    return {
        **labels,
        "recall": _share(sum(bool(item.found) for item in weak), len(weak)),
        "recall_with_changed": _share(
            sum(bool(item.found) for item in judged if item.labelled.label != "ordinary"),
            labels["weakened"] + labels["changed"],
        ),
        "recall_as_weakened": _share(sum(not item.is_understated for item in weak), len(weak)),
        "false_alarms": _share(sum(item.is_alarmed for item in judged), labels["ordinary"]),
    }


def _share(count: int, total: int) -> float | None:
    return round(count / total, 3) if total else None


def clone_of(repository: str, mirror: Path) -> Path | None:
    flat = mirror / repository.replace("/", "+")
    candidates = (flat / "repo", flat, mirror / repository)
    return next((path for path in candidates if (path / "objects").is_dir() or (path / ".git").exists()), None)


def read_commit(clone: Path, commit: str) -> tuple[dict[str, bytes], dict[str, bytes]] | None:
    """Path → content before and after, of the files that a commit touches; None: the clone does not hold it all."""
    listed = _git(clone, "diff-tree", "-r", "-z", "--no-renames", f"{commit}^", commit)
    words = listed.split(b"\0")
    wanted = [
        (side, path.decode("utf-8", "surrogateescape"), blob.decode())
        for header, path in zip(words[::2], words[1::2], strict=False)
        for side, mode, blob in zip((0, 1), header[1:].split()[:2], header.split()[2:4], strict=True)
        if mode not in (b"000000", b"160000")
    ]
    sides: tuple[dict[str, bytes], dict[str, bytes]] = ({}, {})
    blobs = _read_blobs(clone, [blob for _, _, blob in wanted])
    if not wanted or None in blobs:
        return None
    for (side, path, _), content in zip(wanted, blobs, strict=True):
        sides[side][path] = content or b""
    return sides


def _read_blobs(clone: Path, blobs: Sequence[str]) -> list[bytes | None]:
    output = _git(clone, "cat-file", "--batch", stdin="\n".join(blobs).encode() + b"\n")
    found: list[bytes | None] = []
    start = 0
    for _ in blobs:
        end = output.index(b"\n", start)
        header = output[start:end].split()
        if header[-1] == b"missing":
            found.append(None)
            start = end + 1
            continue
        size = int(header[2])
        found.append(output[end + 1 : end + 1 + size])
        start = end + size + 2
    return found


def _git(clone: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    command = ("git", "-C", str(clone), *arguments)
    return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout


def _show(item: Judged, wanted: Sequence[str]) -> None:
    kinds = {"missed": item.is_missed, "alarmed": item.is_alarmed, "understated": item.is_understated and item.found}
    if any(kinds[name] for name in wanted):
        told = item.labelled
        print(f"{told.language} {told.repository} {told.commit[:9]} {told.label}: {told.reason}")
        for found in item.found[:6]:
            print(f"    {found.kind} {found.path}:{found.line} {found.test} ({found.why})")
            print(f"        {found.before[:150]}\n        {found.after[:150]}")


if __name__ == "__main__":
    raise SystemExit(main())
