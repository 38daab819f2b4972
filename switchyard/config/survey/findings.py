"""What a survey finds, put together from what each kind of project says of itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from switchyard.config.survey.listing import Listing
from switchyard.config.survey.node import survey_node
from switchyard.config.survey.project import Project
from switchyard.config.survey.python import survey_python

LANGUAGES = {
    ".py": "python",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".mts": "typescript",
    ".js": "javascript",
    ".jsx": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    ".kt": "kotlin",
    ".rb": "ruby",
    ".php": "php",
    ".cs": "csharp",
    ".c": "c",
    ".h": "c",
    ".cc": "cpp",
    ".cpp": "cpp",
    ".hpp": "cpp",
    ".swift": "swift",
    ".sh": "shell",
}


@dataclass(frozen=True)
class Findings:
    """What to propose for a repository."""

    languages: Mapping[str, int]
    """Files by language, most first."""
    setup: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def survey(listing: Listing) -> Findings:
    """Look at the files; every kind of project that is there adds its set-up and its checks."""
    projects = [project for look in _LOOKS if (project := look(listing)) is not None]
    if not any(project.test for project in projects):
        projects += [project for look in _FALLBACKS if (project := look(listing)) is not None][:1]
    tested = [project for project in projects if project.test]
    warnings = [warning for project in projects for warning in project.warnings]
    if not tested:
        warnings.append("no test command was found; name one under [checks]")
    if listing.has(".gitmodules"):
        warnings.append("submodules are not entered: their files are not in the sandbox")
    return Findings(
        languages=_count_languages(listing),
        setup=tuple(command for project in projects for command in project.setup),
        network=tuple(dict.fromkeys(host for project in projects for host in project.network)),
        checks={project.name if len(tested) > 1 else "test": project.test for project in tested},
        env={key: value for project in projects for key, value in project.env.items()},
        warnings=tuple(warnings),
    )


def _count_languages(listing: Listing) -> dict[str, int]:
    counts = Counter(LANGUAGES.get(PurePosixPath(path).suffix.lower(), "") for path in listing.paths)
    return {language: count for language, count in counts.most_common() if language}


def _survey_go(listing: Listing) -> Project | None:
    if not listing.has("go.mod"):
        return None
    hosts = ("proxy.golang.org", "sum.golang.org")
    return Project("go", setup=("go mod download",), network=hosts, test="go test ./...")


def _survey_rust(listing: Listing) -> Project | None:
    if not listing.has("Cargo.toml"):
        return None
    hosts = ("index.crates.io", "static.crates.io")
    return Project("rust", setup=("cargo fetch",), network=hosts, test="cargo test --offline")


def _survey_make(listing: Listing) -> Project | None:
    targets = re.findall(r"^(test|check)\s*:(?!=)", listing.text("Makefile"), re.MULTILINE)
    return Project("make", test=f"make {targets[0]}") if targets else None


_LOOKS: tuple[Callable[[Listing], Project | None], ...] = (survey_python, survey_node, _survey_go, _survey_rust)
# A Makefile's target usually calls what was found above, by names that the sandbox's set-up does not give.
_FALLBACKS: tuple[Callable[[Listing], Project | None], ...] = (_survey_make,)
