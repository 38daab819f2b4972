"""An attestation: what new ways to the network, to processes, files and code a change opens."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.static.surface_languages import READERS
from switchyard.gates.static.surface_reader import Reach, TooDeep
from switchyard.gates.static.text import decode, is_text
from switchyard.packets import GateFinding, GateResult
from switchyard.quoting import code

GATE = "surface"
_MOST_BYTES = 1_000_000
_MOST_SHOWN = 5
_NO_CODE = re.compile(
    r"\.(md|rst|txt|adoc|csv|tsv|json|ya?ml|toml|ini|cfg|lock|sum|mod|svg|png|jpe?g|gif|ico|css|scss|less|po|pot|snap|golden|xml"
    r"|properties|license|diff|patch|typed)$|(^|/)(licen[cs]e|notice|copying|\.git\w+|\.\w+ignore|\.?[\w-]+rc)[^/]*$",
    re.IGNORECASE,
)
_SHEBANG = re.compile(rb"#!.*\b(python|node)")


@dataclass(frozen=True)
class _New:
    path: str
    reach: Reach


def attest_surface(change: Change) -> GateResult:
    """What the change newly reaches for, each as a note; the reason sums it up, and names files that were not read."""
    changed = [file for file in change.files if file.mode_after and file.mode_after != "160000"]
    suffixes = {file.path: _suffix(file) for file in changed}
    unread = [file.path for file in changed if not suffixes[file.path] and _is_code(file)]
    unread += [file.path for file in changed if suffixes[file.path] and not is_text(file)]
    unread += [file.path for file in changed if suffixes[file.path] and len(file.after or b"") > _MOST_BYTES]
    readable = [file for file in change.files if _suffix(file) and file.path not in unread]
    if not readable and not unread:
        return GateResult.skipped(GATE, "no code was changed")
    new, too_deep = _new_reaches(readable)
    unread += too_deep
    findings = [
        GateFinding(title=f"{one.reach.kind}: {code(one.reach.name)}", asks="note", path=one.path, line=one.reach.line)
        for one in new
    ]
    title = "not read: no grammar for it, too long or too deep"
    findings += [GateFinding(title=title, asks="note", path=path) for path in unread]
    return GateResult.of(GATE, findings, _summary(new, unread))


def _suffix(file: ChangedFile) -> str:
    suffix = posixpath.splitext(file.path)[1].lower()
    if suffix in READERS:
        return suffix
    shebang = _SHEBANG.match((file.after or b"")[:200])
    return "" if shebang is None or suffix else ".py" if shebang[1] == b"python" else ".js"


def _is_code(file: ChangedFile) -> bool:
    return is_text(file) and bool(file.after) and not _NO_CODE.search(file.path)


def _new_reaches(files: Sequence[ChangedFile]) -> tuple[list[_New], list[str]]:
    """What after has more often than before, over all files, as what moved is not new; and paths nested too deeply."""
    left: Counter[tuple[str, str]] = Counter()
    found, too_deep = [], []
    for file in files:
        try:
            left.update((reach.kind, reach.text) for reach in _read(file, file.before))
        except TooDeep:
            continue
    for file in files:
        try:
            reaches = _read(file, file.after)
        except TooDeep:
            too_deep.append(file.path)
            continue
        for reach in sorted(reaches, key=lambda one: (one.line, one.kind, one.name)):
            key = (reach.kind, reach.text)
            if left[key] > 0:
                left[key] -= 1
            else:
                found.append(_New(file.path, reach))
    return found, too_deep


def _read(file: ChangedFile, content: bytes | None) -> list[Reach]:
    if not content or len(content) > _MOST_BYTES:
        return []
    reaches = READERS[_suffix(file)]().read(decode(content).replace("\r\n", "\n").encode("utf-8", "replace"))
    return list(dict.fromkeys(reaches))


def _summary(new: Sequence[_New], unread: Sequence[str]) -> str:
    if new:
        counts = Counter(one.reach.kind for one in new)
        places = [f"{one.reach.kind} in {code(f'{one.path}:{one.reach.line}')}" for one in new[:_MOST_SHOWN]]
        more = f" and {len(new) - _MOST_SHOWN} more" if len(new) > _MOST_SHOWN else ""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        told = f"{len(new)} new ({kinds}): {', '.join(places)}{more}"
    else:
        told = "none: no new way to the network, to processes, files or code"
    listed = ", ".join(code(path) for path in unread[:_MOST_SHOWN])
    more = f" and {len(unread) - _MOST_SHOWN} more" if len(unread) > _MOST_SHOWN else ""
    return f"{told}; not read: {listed}{more}" if unread else told
