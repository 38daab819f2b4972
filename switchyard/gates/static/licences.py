"""Licences: the repository's own files and headers, and those that come along with copied code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.static.manifests import is_manifest, licences_of
from switchyard.gates.static.text import decode, is_text
from switchyard.packets import GateFinding, GateResult
from switchyard.quoting import code

GATE = "licences"
_FILE = re.compile(
    r"(^|/)((un)?licen[cs]es?|copying|notice|copyright|patents|third[-_]?party[-_]?(notices?|licen[cs]es?))"
    r"([-_.][\w.-]*)?$|(^|/)licenses/[^/]+$",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\.(py|pyi|js|mjs|cjs|jsx|ts|tsx|go|rs|java|kt|c|cc|cpp|h|hpp|rb|sh|json|toml|ya?ml|lock)$", re.IGNORECASE
)
_SPDX = re.compile(r"SPDX-License-Identifier:[ \t]*([\w.+() -]{1,100})")
_HOLDER = re.compile(
    r"(?i)copyright\s{1,4}(?:\(c\)|©|&copy;)?[\s,\d–-]{0,40}(?:by\s+)?([^\n*/#]{3,100})|©[\s,\d–-]{0,40}([^\n*/#]{3,100})"
)
_FOREIGN = re.compile(
    r"(?i)\b(A?GPL|LGPL|SSPL|EUPL|MPL|BUSL|EPL|CDDL|CC-BY-(?:SA|NC|ND)[\w-]*)[- v]?\d"
    r"|GNU\s+(?:(?:Affero|Lesser|Library)\s+)?(?:General|Lesser|Library|Affero)\b[\s*#/;-]+(?:General\s+)?Public"
    r"|Mozilla\s+Public\s+License|Business\s+Source\s+License|Server\s+Side\s+Public\s+License|Eclipse\s+Public\s+License"
    r"|All\s+rights\s+reserved|proprietary\s+and\s+confidential|Creative\s+Commons|Commons\s+Clause"
)
_HEAD_LINES = 60


def find_licence_changes(change: Change) -> GateResult:
    """Whether what may be done with the code was changed, or comes from elsewhere."""
    findings = [
        GateFinding.model_validate({"title": title, "asks": asks, "path": file.path})
        for file in change.files
        for title, asks in _of_file(file, change)
    ]
    if not findings:
        return GateResult.of(GATE, (), "no licence file, header or field was changed; no foreign licence came in")
    return GateResult.of(GATE, findings, f"{len(findings)} findings in {len(change.files)} changed files")


def _of_file(file: ChangedFile, change: Change) -> Iterator[tuple[str, str]]:
    if _FILE.search(file.path) and not _CODE.search(file.path):
        verb = {"added": "added", "deleted": "removed", "modified": "changed"}[file.status]
        if file.status == "modified" and _same_but_for_years(file):
            yield "a licence file has other years", "note"
        else:
            yield f"a licence file was {verb}", "person"
        return
    before, after = licences_of(file.path, file.before), licences_of(file.path, file.after)
    if file.mode_before and file.mode_after and before != after and before is not None and after is not None:
        was, now = (code(", ".join(side) or "none") for side in (before, after))
        yield f"the licence in the manifest was {was} and is {now}", "person"
    elif file.mode_after and is_text(file) and not is_manifest(file.path):
        yield from _of_header(file, change)


def _same_but_for_years(file: ChangedFile) -> bool:
    first, second = (
        re.sub(r"\b(19|20)\d\d(\s?[-–,]\s?(19|20)\d\d)*\b", "", decode(side)).split()
        for side in (file.before, file.after)
    )
    return first == second


def _of_header(file: ChangedFile, change: Change) -> Iterator[tuple[str, str]]:
    before, after = _head(file.before), _head(file.after)
    if before == after:
        return
    named, names = set(_spdx(before)), set(_spdx(after))
    if named - names:
        yield (
            f"the header said {code(', '.join(sorted(named)))} and says {code(', '.join(sorted(names)) or 'nothing')}",
            "person",
        )
        return
    held, holders = _holders(before), _holders(after)
    if held - holders:
        yield "a copyright notice was removed or changed", "person"
    bases = [_head(other.before) for other in change.files if other.before]
    new = {match[0].lower() for match in _FOREIGN.finditer(after)} - {
        match[0].lower() for base in bases for match in _FOREIGN.finditer(base)
    }
    if new:
        yield f"a header with a licence that the changed files did not have: {code(sorted(new)[0][:80])}", "person"
    elif file.mode_before and names - named:
        yield f"the header now says {code(', '.join(sorted(names - named)))}", "person"
    elif holders - held - {holder for base in bases for holder in _holders(base)}:
        yield "a copyright notice of somebody whom the changed files did not name", "note"


def _head(content: bytes | None) -> str:
    return "\n".join(decode((content or b"")[:20_000]).split("\n")[:_HEAD_LINES])


def _spdx(text: str) -> list[str]:
    return [" ".join(found.split()) for found in _SPDX.findall(text)]


def _holders(text: str) -> set[str]:
    """Who claims the copyright, without years and signs."""
    found = (first or second for first, second in _HOLDER.findall(text))
    return {name for name in (" ".join(re.findall(r"[a-z]+", holder.lower())) for holder in found) if name}
