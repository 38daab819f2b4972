"""Dependencies that a change adds, moves or pins otherwise, by its manifests and lock files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from switchyard.gates.change import Change, ChangedFile
from switchyard.gates.static.locks import Pins, host_of, is_lock, is_usual, read_lock
from switchyard.gates.static.manifest import Manifest, UnreadableManifest, Wanted
from switchyard.gates.static.manifests import is_manifest, read_manifest
from switchyard.gates.static.rules import Rules
from switchyard.packets import GateFinding, GateResult
from switchyard.packets.gates import Asks
from switchyard.quoting import code

GATE = "dependencies"
_MOST_LISTED = 15


@dataclass(frozen=True)
class _Found:
    title: str
    asks: Asks
    is_new: bool = False
    """A new dependency, which `allow: [dependencies]` allows."""


def find_dependencies(change: Change, rules: Rules) -> GateResult:
    """What the change makes people install."""
    manifests = [file for file in change.files if is_manifest(file.path)]
    locks = [file for file in change.files if is_lock(file.path)]
    programs = list(_programs(change))
    if not manifests and not locks and not programs:
        return GateResult.skipped(GATE, "no manifest and no lock file was changed")
    known = _names_before(manifests)
    rows = [(file, found) for file in manifests for found in _of_manifest(file, known)]
    rows += [(file, found) for file in locks for found in _of_lock(file, bool(manifests))]
    rows += programs
    allowed = "dependencies" in rules.allow
    findings = []
    for file, found in rows:
        asks = "note" if allowed and found.is_new else found.asks
        findings.append(GateFinding(title=found.title, asks=asks, path=file.path))
    new = sum(found.is_new for _, found in rows)
    told = f"{new} new in {len(manifests)} manifests and {len(locks)} lock files"
    return GateResult.of(GATE, findings, f"{told}, as `allow: [dependencies]` lets it" if allowed and new else told)


def _programs(change: Change) -> Iterator[tuple[ChangedFile, _Found]]:
    """New files that a build or an installation runs because of their name and place alone."""
    moved = {file.before for file in change.files if file.before is not None}
    for file in change.files:
        folders, _, name = file.path.rpartition("/")
        is_program = name == "binding.gyp" or (name == "build.rs" and "src" not in folders.split("/"))
        if is_program and file.status == "added" and file.after not in moved:
            yield file, _Found(f"run while it is installed or built: {code(name)}", "person")


def _names_before(files: list[ChangedFile]) -> dict[str, Wanted]:
    """What any of the changed manifests of the base asked for: one that moves to another manifest is not new."""
    known: dict[str, Wanted] = {}
    for file in files:
        for wanted in _read(file, file.before).wanted.values():
            earlier = known.get(wanted.name, wanted)
            known[wanted.name] = replace(wanted, runs=wanted.runs or earlier.runs)
    return known


def _read(file: ChangedFile, content: bytes | None) -> Manifest:
    try:
        return read_manifest(file.path, content) or Manifest()
    except UnreadableManifest:
        return Manifest()


def _of_manifest(file: ChangedFile, known: dict[str, Wanted]) -> Iterator[_Found]:
    before = _read(file, file.before)
    try:
        after = read_manifest(file.path, file.after) or Manifest()
    except UnreadableManifest:
        yield _Found("its dependencies cannot be read", "person")
        return
    if file.mode_after and file.after is None:
        yield _Found("too long: its dependencies cannot be read", "person")
        return
    for name, wanted in after.wanted.items():
        yield from _of_wanted(wanted, before.wanted.get(name) or known.get(name))
    for name in before.wanted.keys() - after.wanted.keys():
        yield _Found(f"removed: {code(name)}", "note")
    for source in sorted(after.sources - before.sources):
        yield _Found(f"a source of packages, or a replacement: {code(source[:200])}", "person")
    for script in sorted(after.scripts - before.scripts):
        if not script.startswith("checked "):
            yield _Found(f"run while it is installed or built: {code(script[:200])}", "person")
    for script in sorted(before.scripts - after.scripts):
        name = script.removeprefix("checked ")
        if script != name and name in after.wanted:
            yield _Found(f"{code(name)} has no hash any longer", "person")


def _of_wanted(wanted: Wanted, earlier: Wanted | None) -> Iterator[_Found]:
    name, version = code(wanted.name), code(wanted.version[:200]) if wanted.version else "any version"
    where = f" from {code(wanted.source[:200])}" if wanted.source else ""
    unknown = "its licence and its content are not known here"
    if earlier is None:
        if not wanted.runs and not wanted.source:
            yield _Found(
                f"new for development, tests or another dependency: {name}, {version}; {unknown}", "note", is_new=True
            )
        else:
            yield _Found(f"new: {name}, {version}{where}; {unknown}", "person", is_new=not _is_foreign(wanted.source))
    elif wanted.source != earlier.source and _is_foreign(wanted.source):
        yield _Found(f"{name} now comes{where}", "person")
    elif wanted.runs and not earlier.runs:
        yield _Found(
            f"{name} was for development, tests or another dependency, and is needed to run now", "person", is_new=True
        )
    elif wanted.version != earlier.version:
        before = code(earlier.version[:200]) if earlier.version else "any version"
        yield _Found(f"{name}: {before} became {version}", "note")


def _is_foreign(source: str) -> bool:
    """Whether a source lies outside of the repository, or is another name."""
    inside = ("workspace:", "link:./", "file:./", "./", "catalog:")
    return bool(source) and not source.startswith(inside) and not source.startswith('{"path": "')


def _of_lock(file: ChangedFile, has_manifest: bool) -> Iterator[_Found]:
    try:
        before = read_lock(file.path, file.before) or {}
    except UnreadableManifest:
        before = {}
    try:
        after = read_lock(file.path, file.after)
    except UnreadableManifest:
        yield _Found("the lock file cannot be read", "person")
        return
    if after is None:
        yield (
            _Found("a lock file was removed", "person")
            if not file.mode_after
            else _Found("a lock file that is not read", "person")
        )
        return
    yield from _strange_sources(before, after)
    yield from _unchecked(before, after)
    ran = {name for (name, _), pin in before.items() if pin.runs_script}
    runs = sorted({name for (name, _), pin in after.items() if pin.runs_script} - ran)
    if before and runs:
        yield _Found(f"run something while they are installed: {_listed(runs)}", "person", is_new=True)
    names = {name for name, _ in before}
    new = sorted({name for name, _ in after} - names)
    if before and new and not has_manifest:
        yield _Found(f"new without a change of a manifest: {_listed(new)}", "person", is_new=True)
    elif new and before:
        yield _Found(f"new in the lock file: {_listed(new)}; their licences are not known here", "note", is_new=True)
    elif before != after and not has_manifest and file.mode_before:
        yield _Found("the lock file was changed, and no manifest", "note")


def _strange_sources(before: Pins, after: Pins) -> Iterator[_Found]:
    usual = {host_of(pin.source) for pin in before.values() if pin.source}
    strange: dict[str, list[str]] = {}
    for key, pin in after.items():
        earlier = before.get(key)
        host = host_of(pin.source)
        moved = earlier is not None and bool(earlier.source) and host_of(earlier.source) != host
        if earlier and moved and is_usual(earlier.source):
            moved = not is_usual(pin.source)
        if moved or not (is_usual(pin.source) or host in usual):
            strange.setdefault(host, []).append(key[0])
    for host, names in sorted(strange.items()):
        yield _Found(f"fetched from {code(host)}, which is new here: {_listed(sorted(set(names)))}", "person")


def _unchecked(before: Pins, after: Pins) -> Iterator[_Found]:
    missing, changed = [], []
    for key, pin in after.items():
        earlier = before.get(key)
        if earlier == pin:
            continue
        if pin.needs_digest and not pin.digest:
            missing.append(key[0])
        elif earlier and earlier.digest and _differ(earlier.digest, pin.digest):
            changed.append(f"{key[0]} {key[1]}")
    if missing:
        yield _Found(f"pinned without a hash: {_listed(sorted(set(missing)))}", "person")
    if changed:
        yield _Found(f"the same version must hash to something else: {_listed(sorted(changed))}", "person")


def _differ(before: str, after: str) -> bool:
    """Whether no hash of before is left; files of more platforms may come along."""
    return not set(before.split()) & set(after.split())


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(code, names[:_MOST_LISTED]))
    return f"{shown} and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else shown
