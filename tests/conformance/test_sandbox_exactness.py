"""What every sandbox driver promises to the byte: the environment, names that somebody chose to harm, large files."""

from __future__ import annotations

import os
import resource
import sys

import pytest
from sandbox.boxes import Ground
from switchyard_sandbox import BoxId, Command, Extraction, SandboxError

pytestmark = pytest.mark.sandbox

_OWN = {"HOME", "LANG", "LOGNAME", "PATH", "TERM", "USER"}
_MORE = {"embedded": {"PWD"}, "none": {"TMPDIR"}}
"""What a kind of box has besides: a shell finds out the first by itself, and without isolation /tmp is the host's."""
_HARMLESS = {
    "dash": "-rf",
    "option": "--upload-pack=touch x",
    "quotes": "q'uo\"te`id`$(id)",
    "space": " leading and trailing ",
    "star": "*?[a]",
    "unicode": "日本語 e\N{COMBINING ACUTE ACCENT} 🙂",
    "bytes": "odd\udcff\udcfe",
    "long": "n" * 255,
}
"""Names that come out as they are."""
_REFUSED = {"newline": "line\nbreak", "colour": "\x1b[31mred", "bidi": "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe"}
"""Names that would forge a listing."""
_NAMES = {**_HARMLESS, **_REFUSED}
_WRITE = "import os, sys\nfor name in sys.argv[1:]: open(os.fsencode(name), 'wb').write(b'of ' + os.fsencode(name))"
_LARGE_BYTES, _TOO_LARGE_BYTES = 90 << 20, 150 << 20
_GROWTH_BYTES = 60 << 20


def raw(name: str) -> bytes:
    return os.fsencode(name)


class TestEnvironment:
    def test_a_command_finds_these_variables_and_no_other(self, ground: Ground, box: BoxId) -> None:
        finished = ground.driver.execute(box, Command(("env", "-0"), env={"ODD": "a\n'\"$x\udcff", "EMPTY": ""}))
        found = dict(entry.split(b"=", 1) for entry in finished.stdout.split(b"\0")[:-1])
        assert {name.decode() for name in found} == {*_OWN, *_MORE.get(ground.driver.kind, ()), "ODD", "EMPTY"}
        assert (found[b"ODD"], found[b"EMPTY"]) == (b"a\n'\"$x\xff", b"")
        assert (found[b"LANG"], found[b"TERM"]) == (b"C.UTF-8", b"dumb")
        assert found[b"USER"] == found[b"LOGNAME"]
        assert found[b"HOME"] != os.environb.get(b"HOME")


class TestNames:
    @pytest.mark.parametrize("name", _NAMES.values(), ids=_NAMES)
    def test_a_file_of_any_name_can_be_put(self, ground: Ground, box: BoxId, name: str) -> None:
        path = ground.driver.put(box, f"in/{name}", raw(name))
        assert ground.driver.execute(box, Command(("cat", "--", path))).stdout == raw(name)

    @pytest.mark.parametrize("name", ["n" * 256, "in/" + "ü" * 128], ids=["letters", "bytes"])
    def test_a_name_that_no_file_can_have_is_refused(self, ground: Ground, box: BoxId, name: str) -> None:
        with pytest.raises(SandboxError, match="255"):
            ground.driver.put(box, name, b"")

    def test_a_file_in_the_place_of_a_folder_is_refused(self, ground: Ground, box: BoxId) -> None:
        ground.driver.put(box, "notes/one", b"1")
        with pytest.raises(SandboxError, match="notes"):
            ground.driver.put(box, "notes", b"2")
        assert ground.did(box, f"cat '{ground.driver.put(box, 'notes/two', b'2')}'") == "2"

    def test_names_reach_a_command_and_come_out_of_the_tree(self, ground: Ground, box: BoxId) -> None:
        assert ground.driver.execute(box, Command(("python3", "-c", _WRITE, *_NAMES.values()))).ok
        extraction = ground.extract(box)
        assert extraction.changed == tuple(sorted(_HARMLESS.values()))
        assert {finding.path: finding.kind for finding in extraction.findings} == dict.fromkeys(
            _REFUSED.values(), "unsafe_name"
        )
        listing = ground.listing(extraction.tree)
        assert {name: listing[name][1] for name in _HARMLESS.values()} == {
            name: b"of " + raw(name) for name in _HARMLESS.values()
        }

    def test_names_of_a_commit_go_in(self, ground: Ground) -> None:
        # Also those that would be refused: what a person committed is theirs.
        commit = ground.commit({f"dir/{name}": raw(name) for name in _NAMES.values()})
        box = ground.box(ground.spec(commit))
        assert ground.did(box, "git status --porcelain; ls -1A dir | wc -c") == (
            f"{sum(len(raw(name)) + 1 for name in _NAMES.values())}\n"
        )
        assert ground.extract(box).changed == ()

    def test_a_long_argument_arrives(self, ground: Ground, box: BoxId) -> None:
        word = "ü'\n" * 30_000
        assert ground.driver.execute(box, Command(("printf", "%s", word))).stdout == word.encode()


@pytest.mark.slow
def test_large_files_come_out_without_lying_in_memory(ground: Ground, box: BoxId) -> None:
    """In a process of its own, whose peak is then told by what this one extraction took."""
    ground.did(box, f"for n in 1 2; do head -c {_LARGE_BYTES} /dev/urandom > large$n; done")
    ground.did(box, f"head -c {_TOO_LARGE_BYTES} /dev/urandom > too-large")
    pid = os.fork()
    if pid == 0:
        _measure(ground, box)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _measure(ground: Ground, box: BoxId) -> None:
    code = 1
    try:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        extraction = ground.extract(box)
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
        print(f"{growth} bytes more", file=sys.stderr)
        _check_large(ground, extraction)
        assert growth <= _GROWTH_BYTES
        code = 0
    finally:
        os._exit(code)


def _check_large(ground: Ground, extraction: Extraction) -> None:
    assert extraction.changed == ("large1", "large2")
    assert [(finding.path, finding.kind) for finding in extraction.findings] == [("too-large", "too_large")]
    sizes = ground.git("ls-tree", "-l", extraction.tree, "large1", "large2", cwd=ground.quarantine).splitlines()
    assert [int(line.split()[3]) for line in sizes] == [_LARGE_BYTES] * 2
