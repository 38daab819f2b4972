"""Tasks made of a repository's own commits: what was written about a change, and which files it changed.

Paths and file names are taken out of the message. Merges, releases, bots, formatting and commits that touch many files
are left out, and so is what a message of less than four words says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from switchyard_context import is_test
from switchyard_context.languages import language_of
from switchyard_git import Change, Commit, CommitSha, Repository

from benchmarks.localisation import Task

_WINDOW = 3000
_MAX_GOLD, _MAX_TOUCHED = 6, 30
_NOISE = re.compile(
    r"^(release|bump|v?\d+\.\d|merge|revert|publish|version packages|update dependenc|prepare|\[?ci\]?\b|docs?[:(]"
    r"|tests?[:(]|style[:(]|build[:(]|chore\((deps|release)|fix\(deps|chore: (release|bump|update dep)|changelog|format"
    r"|(run|apply) (black|prettier|fmt|isort|ruff)|typo|pre-commit|\[pre-commit|translat|deps|backport)"
    r"|javadoc|copyright|license|whitespace|\blint|sort members|prettier|gofmt|rustfmt",
    re.IGNORECASE,
)
_BOT = re.compile(r"\[bot\]|dependabot|renovate|github-actions|pre-commit-ci|bot@|autofix", re.IGNORECASE)
_TRAILER = re.compile(r"^(co-authored-by|signed-off-by|reviewed-by|closes|fixes|refs|see)\b.*$", re.IGNORECASE | re.M)
_PLACE = re.compile(
    r"[`'\"]?(?:[\w@.+-]+/)+[\w@.+-]+\.[A-Za-z]{1,5}\b[`'\"]?"
    r"|\b[\w-]+(?:\.[\w-]+)*\.(?:pyi?|[cm]?[jt]sx?|go|rs|java|rst|md|toml|json|ya?ml|vue|html|css|txt|cfg)\b"
)
_REFERENCE = re.compile(r"https?://\S+|\(?\b(?:gh-|#)\d+\)?", re.IGNORECASE)
_MAX_TEXT = 8000


def commit_tasks(repositories: Path, name: str, count: int) -> list[Task]:
    """A repository's newest tasks."""
    folder = repositories / name.replace("/", "+")
    repository = Repository.open(folder / "repo" if (folder / "repo").is_dir() else folder)
    shas = repository.recent("HEAD", limit=_WINDOW)
    touched = repository.touched(shas)
    found = (_task(name, commit, touched.get(commit.sha, ())) for commit in repository.read_commits(shas))
    return [task for task in found if task is not None][:count]


def clean_message(message: str) -> str:
    """What a message says, without where."""
    for pattern in (_TRAILER, _PLACE, _REFERENCE):
        message = pattern.sub("", message)
    return re.sub(r"\n{3,}", "\n\n", message).strip()[:_MAX_TEXT]


def _task(name: str, commit: Commit, changes: Sequence[Change]) -> Task | None:
    author = f"{commit.author.name} <{commit.author.email}>"
    if len(commit.parents) != 1 or _BOT.search(author) or _NOISE.search(commit.subject.strip()):
        return None
    gold = [change.path for change in changes if change.status in "MD" and _is_source(change.path)]
    text = clean_message(commit.message)
    if len(changes) > _MAX_TOUCHED or not 1 <= len(gold) <= _MAX_GOLD or len(re.findall(r"[A-Za-z]{3,}", text)) < 4:
        return None
    return Task(f"{name}@{commit.sha[:10]}", "commit", name, CommitSha(commit.parents[0]), text, tuple(gold))


def _is_source(path: str) -> bool:
    return language_of(path) is not None and not is_test(path)
