"""What files are rather than what they say: binary, huge, executable, linked elsewhere, or not what they look like."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Iterator, Sequence

from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.static.disguise import find_disguises
from switchyard.gates.static.rules import Rules
from switchyard.gates.static.text import NewText, decode, is_text
from switchyard.packets import GateFinding, GateResult
from switchyard.quoting import code

GATE = "files"
_LINK, _SUBMODULE, _EXECUTABLE = "120000", "160000", "100755"
_RUN = (
    (b"\x7fELF", "a program"), (b"MZ", "a program for Windows"), (b"\xfe\xed\xfa\xce", "a program"),
    (b"\xfe\xed\xfa\xcf", "a program"), (b"\xce\xfa\xed\xfe", "a program"), (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "compiled code"), (b"\0asm", "compiled code"), (b"PK\x03\x04", "an archive"),
    (b"PK\x05\x06", "an archive"), (b"\x1f\x8b", "an archive"), (b"BZh", "an archive"), (b"\xfd7zXZ\0", "an archive"),
    (b"7z\xbc\xaf\x27\x1c", "an archive"), (b"Rar!", "an archive"), (b"\x28\xb5\x2f\xfd", "an archive"),
    (b"!<arch>\n", "an archive"), (b"\x80\x04\x95", "a pickle, which is code"),
    (b"\x80\x05\x95", "a pickle, which is code"),
)  # fmt: skip
_RUN_NAMES = re.compile(
    r"\.(exe|dll|so(\.\d+)*|dylib|bin|com|msi|scr|pyc|pyo|pyd|class|jar|war|ear|aar|wasm|o|a|lib|node|whl|egg|zip|tar|tgz|gz"
    r"|bz2|xz|7z|rar|zst|deb|rpm|dmg|apk|pkl|pickle|joblib)$",
    re.IGNORECASE,
)
_SEEN = {
    ".png": (b"\x89PNG",), ".gif": (b"GIF8",), ".jpg": (b"\xff\xd8\xff",), ".jpeg": (b"\xff\xd8\xff",),
    ".webp": (b"RIFF",), ".ico": (b"\0\0\1\0",), ".bmp": (b"BM",), ".woff": (b"wOFF",), ".woff2": (b"wOF2",),
    ".ttf": (b"\0\1\0\0", b"true"), ".otf": (b"OTTO",),
}  # fmt: skip
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_GIT_FOLDER = re.compile(r"(\.git|git~\d)[ .]*", re.IGNORECASE)
_MOST_OF_A_KIND = 5


def find_odd_files(change: Change, texts: Sequence[NewText], rules: Rules) -> GateResult:
    """Everything about the changed files that reading their text does not show."""
    if not change.files:
        return GateResult.skipped(GATE, "nothing was changed")
    findings = [
        GateFinding.model_validate({"title": title, "asks": asks, "path": file.path})
        for file in change.files
        for title, asks in _oddities(file, rules)
    ]
    findings += _collisions(change)
    for text in texts:
        odd = find_disguises(text)
        findings += odd[:_MOST_OF_A_KIND]
        if len(odd) > _MOST_OF_A_KIND:
            title = f"and {len(odd) - _MOST_OF_A_KIND} more lines that do not show what they hold"
            findings.append(GateFinding(title=title, asks="person", path=text.path))
    return GateResult.of(GATE, findings, f"{len(findings)} findings in {len(change.files)} changed files")


def _oddities(file: ChangedFile, rules: Rules) -> Iterator[tuple[str, str]]:
    if file.mode_after:
        # A name or a size that the base had already is none of the change's doing.
        if not file.mode_before:
            yield from _of_name(file.path)
        yield from _of_mode(file)
        most = rules.max_file_kb * 1024
        if file.size_after > most:
            asks = "person" if file.size_before <= most else "note"
            yield f"{file.size_after // 1024} KiB, and `gates.max_file_kb` is {rules.max_file_kb}", asks
        if file.mode_after in ("100644", _EXECUTABLE) and (file.after or b"") != (file.before or b""):
            yield from _of_content(file)


def _of_name(path: str) -> Iterator[tuple[str, str]]:
    if any(0xD800 <= ord(char) <= 0xDFFF for char in path):
        yield "its name is no UTF-8", "person"
    elif any(unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cn") for char in path):
        yield "its name holds characters that cannot be seen", "person"
    elif any(
        unicodedata.normalize("NFKC", part).isascii() != part.isascii() or _is_mixed(part) for part in path.split("/")
    ):
        yield "its name holds letters that look like others", "person"
    for part in path.split("/"):
        if (
            _GIT_FOLDER.fullmatch(part)
            or ":" in part
            or "\\" in part
            or part != part.strip()
            or part in ("", ".", "..")
        ):
            yield f"{code(part)} means something else on another system", "person"
        elif part.endswith(".") or _RESERVED.fullmatch(part):
            yield f"{code(part)} cannot be checked out on Windows", "note"


def _is_mixed(name: str) -> bool:
    scripts = {unicodedata.name(char, "").split(" ")[0] for char in name if char.isalpha()}
    return "LATIN" in scripts and bool(scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH"})


def _of_mode(file: ChangedFile) -> Iterator[tuple[str, str]]:
    before, after = file.mode_before, file.mode_after
    if after == _SUBMODULE:
        yield "a submodule: other code at a commit of another repository", "person"
    elif after == _LINK:
        yield from _of_link(file)
    elif before == _LINK:
        yield "a link became a file", "person"
    elif before == _SUBMODULE:
        yield "a submodule became a file", "person"
    elif after == _EXECUTABLE and before == "100644":
        yield "the file became executable", "note" if (file.after or b"").startswith(b"#!") else "person"
    elif after == _EXECUTABLE and not before:
        script = (file.after or b"").startswith(b"#!")
        yield ("a new script that can be run", "note") if script else ("executable, and no script", "person")
    elif after == "100644" and before == _EXECUTABLE:
        yield "the file is no longer executable", "note"


def _of_link(file: ChangedFile) -> Iterator[tuple[str, str]]:
    target = (file.after or b"").decode("utf-8", "surrogateescape")
    shown = code(target[:200])
    if file.mode_before and file.mode_before != _LINK:
        yield f"a file became a link to {shown}", "person"
        return
    parts = target.split("/")
    climbs = [index for index, part in enumerate(parts) if part == ".."]
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), target))
    if target.startswith("/") or "\\" in target or not target or "\0" in target or re.match(r"[A-Za-z]:", target):
        yield f"a link to {shown}, which is no path inside the repository", "person"
    elif inside.split("/")[0] == ".." or _GIT_FOLDER.fullmatch(inside.split("/")[0]):
        yield f"a link out of the repository: {shown}", "person"
    elif climbs and climbs != list(range(len(climbs))):
        yield f"a link that leads back through other folders: {shown}", "person"
    else:
        yield f"a link to {shown}", "note"


def _of_content(file: ChangedFile) -> Iterator[tuple[str, str]]:
    start = (file.after or b"")[:512]
    what = next((what for magic, what in _RUN if start.startswith(magic) and (magic != b"MZ" or file.is_binary)), "")
    if not what and start[257:262] == b"ustar":
        what = "an archive"
    suffix = posixpath.splitext(file.path)[1].lower()
    if what:
        yield what, "person"
    elif _RUN_NAMES.search(file.path):
        yield f"by its name what is run or unpacked: {code(suffix)}", "person"
    elif suffix in _SEEN and start and not start.startswith(_SEEN[suffix]):
        yield f"not the {code(suffix)} that its name says", "person"
    elif suffix in _SEEN and start:
        yield f"a picture or a font, {file.size_after // 1024} KiB", "note"
    elif file.is_binary and not is_text(file):
        yield "binary: no reader sees what it holds", "person"
    elif b"\xef\xbf\xbd" not in start and "�" in decode(file.after) and "�" not in decode(file.before):
        yield "text that is no UTF-8", "note"


def _collisions(change: Change) -> Iterator[GateFinding]:
    """Paths that are one file where case does not count."""
    seen: dict[str, str] = {}
    for file in change.files:
        if file.mode_after:
            folded = unicodedata.normalize("NFC", file.path).casefold()
            if folded in seen:
                title = f"one file with {code(seen[folded])} where case does not count"
                yield GateFinding(title=title, asks="person", path=file.path)
            seen.setdefault(folded, file.path)
