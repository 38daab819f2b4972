"""What files are rather than what they say, and text that does not show what it holds."""

from __future__ import annotations

import pytest

from gates.static.changes import a_file, added, asked, inspect, says
from switchyard.gates.change import ChangedFile
from switchyard.gates.static import Rules


@pytest.mark.parametrize(
    "file",
    [
        added("run", b"\x7fELF\x02\x01\0\0", "100755"),
        added("lib.so", b"\x7fELF\0"),
        added("a.jar", b"PK\x03\x04\0\0"),
        added("a.wasm", b"\0asm\1\0\0\0"),
        added("a.pyc", b"\xa7\r\r\n\0\0"),
        added("data.dat", b"\0\1\2\3"),
        added("cat.png", b"MZ\x90\0"),
        added("A.JAR", "text"),
        added("l", "../../etc/passwd", "120000"),
        added("l", "/etc/passwd", "120000"),
        added("l", "a/../../x", "120000"),
        added("l", ".git/config", "120000"),
        a_file("l", "text\n", "a.py", mode_after="120000"),
        added("sub", "", "160000"),
        a_file("a.sh", "x\n", "x\n", mode_after="100755"),
        added("a.txt", "no script\n", "100755"),
        added("a\nb.py", "x\n"),
        added("b\udcff.py", "x\n"),
        added("\u202eyp.a", "x\n"),
        added("p\u0430y.py", "x\n"),
        added("x/.Git/hooks/y", "x\n"),
        added("t.py", "x = '\u202e'\n"),
        added("t.py", "pass\u200bword = 1\n"),
        added("t.py", "p\u0430ssword = 1\n"),
        added("t.py", "x = '\ufe00\ufe05\ufe0e'\n"),
        added("t.py", "pass\ufe01word = 1\n"),
        added("t.py", "x = 1\r y = 2\n"),
        added("t.sh", "echo \x1b[8m hidden\n"),
        added("t.py", "x = 1" + " " * 300 + "; y = 2\n"),
        added("t.md", "note \U000e0041\U000e0042\n"),
        ChangedFile("huge.bin", None, None, mode_before="", size_after=9_000_000),
    ],
)
def test_what_no_reader_would_see_is_for_a_person(file: ChangedFile) -> None:
    assert asked(inspect(file)["files"])


@pytest.mark.parametrize(
    "file",
    [
        added("cat.png", b"\x89PNG\r\n\x1a\n\0\0"),
        added("a/l", "../b.py", "120000"),
        added("run.sh", "#!/bin/sh\nls\n", "100755"),
        a_file("run.sh", "x\n", "x\n", mode_before="100755"),
        added(
            "b.txt", "caf\u00e9 \u03b1 + \u03b2 \u4f60\u597d \U0001f468\u200d\U0001f469 \u043f\u0440\u0438\u0432\r\n"
        ),
        added("b.py", "\u0394x = \u03c3_1  # \u0645\u0631\u062d\u0628\u0627\n"),
        added("b.py", "\ufeffx = 1\n"),
        added("b.py", "x = '\u2764\ufe0f 1\ufe0f\u20e3'\n"),
        added("b.txt", b"caf\xe9\n"),
        a_file("old.bin", b"\0\1", None),
        a_file("t.py", "x = '\u202e'\n", "x = '\u202e'\ny = 2\n"),
    ],
)
def test_pictures_scripts_and_other_peoples_letters_pass(file: ChangedFile) -> None:
    assert asked(inspect(file)["files"]) == []


def test_how_long_a_file_may_be_is_configured() -> None:
    file = added("a.txt", "x" * 3000)
    assert not asked(inspect(file)["files"])
    assert "`gates.max_file_kb` is 2" in says(inspect(file, rules=Rules(max_file_kb=2))["files"])


def test_two_names_that_differ_in_case_alone_are_told() -> None:
    assert "where case does not count" in says(inspect(added("Make.py", "x\n"), added("make.py", "y\n"))["files"])


@pytest.mark.parametrize(
    "file",
    [
        a_file("b\udcff.py", "x\n", "y\n"),
        a_file("p\u0430y.py", "x\n", "y\n"),
        a_file("a.sh", "#!/bin/sh\n", "#!/bin/sh\nls\n", mode_after="100755"),
        a_file("dump.json", "[" + "1, " * 400_000 + "1]", "[" + "1, " * 400_000 + "2]"),
    ],
)
def test_what_the_base_had_already_is_none_of_the_changes_doing(file: ChangedFile) -> None:
    assert not asked(inspect(file)["files"])
