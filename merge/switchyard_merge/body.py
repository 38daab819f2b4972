"""The text of a pull request, and how it is renewed without touching what a person wrote into it.

Task and acceptance are written once and then belong to whoever edits them. Evidence, parents and navigation stand
between markers and are renewed. Foreign text is quoted: inside a quote no comment, tag or code fence reaches the
rest of the page, and no line can pass for a marker, which must begin its line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from switchyard_merge.navigation import StackEntry, code, inline, navigation

REGIONS = ("evidence", "parents", "navigation")
MOST_CHARS = 65_536
"""Of a body, as GitHub has it; one that is longer is refused."""
_LONGEST_TEXT = 20_000
_LONGEST_ACCEPTANCE = 8_000
_CUT = "… (cut: the body would be longer than a forge takes; `switchyard show` has the whole)"
_MARKER = re.compile(r"^<!-- switchyard:task=(\S+) run=(\S+) head=(\S+) -->$", re.MULTILINE)
_LIKE_A_MARKER = re.compile(r"^<(?=!--)", re.MULTILINE)
_DEPENDS_ON = re.compile(r"^Depends-On: #(\d+)$", re.MULTILINE)
_STRAY = re.compile(r"^<!-- /?switchyard:(?:evidence|parents|navigation) -->\n?", re.MULTILINE)


@dataclass(frozen=True)
class Marker:
    """What finds a pull request again."""

    task: str
    run: str
    head: str


@dataclass(frozen=True)
class CheckLine:
    """One check that ran on the commit."""

    name: str
    passed: bool
    duration_s: float
    artifact: str
    """`sha256:<hex>` of its output."""


@dataclass(frozen=True)
class ParentLine:
    """One pull request that this one is stacked on."""

    task: str
    number: int


@dataclass(frozen=True)
class PullRequestText:
    """Everything that the body tells."""

    marker: Marker
    title: str
    description: str
    acceptance: Sequence[str] = ()
    checks: Sequence[CheckLine] = ()
    page: str = ""
    """The evidence in Markdown, in place of the table of checks; its lines must not begin as a marker does."""
    parents: Sequence[ParentLine] = ()
    stack: Sequence[StackEntry] = ()
    """The whole stack in topological order, this pull request included."""
    base: str = ""
    """The branch that the stack stands on."""


def render_body(text: PullRequestText) -> str:
    """The body in Markdown, no longer than a forge takes."""
    marker = text.marker
    sections = [
        _marker_line(marker),
        f"## Task\n\n**{inline(text.title)}** ({code(marker.task)})\n\n{quoted(text.description)}".rstrip(),
        f"## Acceptance\n\n{_acceptance(text.acceptance)}",
        _region("evidence", f"## Evidence\n\n{_unmarked(text.page) or _evidence(text.checks)}"),
        _region("parents", _parents(text.parents)),
        _region("navigation", navigation(text.stack, current=marker.task, base=text.base)),
    ]
    return _fitted("\n\n".join(sections) + "\n")


def merge_body(existing: str, generated: str) -> str:
    """The existing body with its generated parts renewed; the very same text when there is nothing to renew.

    Each marked part is replaced where it stands; one that is missing or broken is put at the end. All else is kept.
    """
    # A forge's web editor turns line ends into CRLF; that alone is no reason to write.
    body = plain = existing.replace("\r\n", "\n")
    ours = _MARKER.search(generated)
    if ours:
        body = _put(_MARKER, ours[0], body) if _MARKER.search(body) else f"{ours[0]}\n\n{body}"
    regions = {name: found[0] for name in REGIONS if (found := _pattern(name).search(generated))}
    if any(len(_pattern(name).findall(body)) != 1 for name in regions) or len(_STRAY.findall(body)) != 2 * len(regions):
        body = _without_regions(body).rstrip("\n") + "\n\n" + "\n\n".join(regions.values()) + "\n"
    for name, region in regions.items():
        body = _put(_pattern(name), region, body)
    body = _fitted(body)
    return existing if body == plain else body


def render_place(
    body: str, marker: Marker, parents: Sequence[ParentLine], stack: Sequence[StackEntry], base: str
) -> str:
    """The generated parts that tell where a pull request stands, to be merged into its body; its evidence stays."""
    evidence = [found[0] for found in _pattern("evidence").finditer(body.replace("\r\n", "\n"))]
    return "\n\n".join(
        [
            _marker_line(marker),
            *(evidence if len(evidence) == 1 else ()),
            _region("parents", _parents(parents)),
            _region("navigation", navigation(stack, current=marker.task, base=base)),
        ]
    )


def read_marker(body: str) -> Marker | None:
    """The marker in a body; None where there is none."""
    found = _MARKER.search(body.replace("\r\n", "\n"))
    return Marker(*(unquote(value) if value != "-" else "" for value in found.groups())) if found else None


def read_parents(body: str) -> list[int]:
    """The numbers of the pull requests that this one depends on, as its generated part says."""
    region = _pattern("parents").search(body.replace("\r\n", "\n"))
    return [int(number) for number in _DEPENDS_ON.findall(region[0])] if region else []


def quoted(text: str) -> str:
    """Foreign text as a Markdown quote, cut when it is very long."""
    # Every line separator that a forge or Python knows, or a line could begin outside the quote.
    whole = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    if len(whole) <= _LONGEST_TEXT:
        return whole
    return whole[:_LONGEST_TEXT].rstrip() + "\n>\n> … (cut; the whole text is in the task)"


def _marker_line(marker: Marker) -> str:
    return f"<!-- switchyard:task={_packed(marker.task)} run={_packed(marker.run)} head={_packed(marker.head)} -->"


def _acceptance(items: Sequence[str]) -> str:
    lines = [f"- [ ] {inline(item)}" for item in items]
    room, kept = _LONGEST_ACCEPTANCE, list[str]()
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return "\n".join([*kept, f"\n… and {len(lines) - len(kept)} more, which are in the task"])
        kept.append(line)
    return "\n".join(kept) or "None given."


def _evidence(checks: Sequence[CheckLine]) -> str:
    if not checks:
        return "No check ran."
    rows = [
        f"| {inline(check.name)} | {'✅ passed' if check.passed else '❌ failed'} | {check.duration_s:.1f} s "
        f"| {code(check.artifact)} |"
        for check in checks
    ]
    return "\n".join(["| check | result | took | output |", "|---|---|---|---|", *rows])


def _parents(parents: Sequence[ParentLine]) -> str:
    # A footer has its line to itself, as tools that know `Depends-On` want it.
    lines = [f"Depends-On: #{parent.number}" for parent in parents]
    return "## Parents\n\n" + ("\n".join(lines) or "None: this one stands on the base branch.")


def _fitted(body: str) -> str:
    """A body that a forge takes: of what is too long, the generated parts give way, the least needed first."""
    for name in ("navigation", "evidence"):
        over = len(body) - MOST_CHARS
        found = _pattern(name).search(body) if over > 0 else None
        if found:
            body = _put(_pattern(name), _shortened(name, found[0], len(found[0]) - over), body)
    return body


def _shortened(name: str, region: str, most: int) -> str:
    """A region of so many characters at most, if they are enough for its frame; cut between two of its lines."""
    content = region.split("\n", 1)[1].rpartition("\n")[0]
    room = most - len(_region(name, f"\n\n{_CUT}"))
    return _region(name, f"{content[: max(room, 0)].rpartition(chr(10))[0].rstrip()}\n\n{_CUT}")


def _unmarked(page: str) -> str:
    """A page of which no line can pass for a marker."""
    return _LIKE_A_MARKER.sub("&lt;", page).strip("\n")


def _region(name: str, content: str) -> str:
    return f"<!-- switchyard:{name} -->\n{content}\n<!-- /switchyard:{name} -->"


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"^<!-- switchyard:{name} -->\n.*?^<!-- /switchyard:{name} -->$", re.MULTILINE | re.DOTALL)


def _put(pattern: re.Pattern[str], text: str, body: str) -> str:
    """The body with the first match replaced by a text that is taken literally."""
    return pattern.sub(lambda _: text, body, count=1)


def _without_regions(body: str) -> str:
    for name in REGIONS:
        body = _pattern(name).sub("", body)
    return _STRAY.sub("", body)


def _packed(value: str) -> str:
    """A value without anything that ends a comment or a field."""
    return quote(value, safe="/:@+,.", errors="surrogateescape") or "-"
