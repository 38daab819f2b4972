"""A command that goes for files: the host's, other boxes', the shared ones, and those that extraction will meet."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from sandbox.boxes import Ground
from switchyard_sandbox import BoxId, Command, Extraction, Limits, SandboxError

from hostile.attacks import orchestrator, python

pytestmark = pytest.mark.sandbox


def kinds(extraction: Extraction) -> dict[str, str]:
    return {finding.path: finding.kind for finding in extraction.findings}


def fingerprint(tree: Path) -> dict[str, tuple[int, int, int]]:
    stats = {str(path): path.lstat() for path in tree.rglob("*")}
    return {path: (stat.st_size, stat.st_mtime_ns, stat.st_mode) for path, stat in stats.items()}


def test_ordinary_work_goes_on(ground: Ground, box: BoxId) -> None:
    ground.did(box, "echo 2 > README.md && git add README.md && git commit -q -m two && python3 -c 'print(2)'")
    assert ground.extract(box).changed == ("README.md",)


@pytest.mark.parametrize(
    "path",
    ["/usr/x", "/etc/passwd", "/etc/ld.so.preload", "/bin/sh", "/switchyard/x", "/dev/sda", "/x", "/lib/x",
     "/var/lib/switchyard/objects/x"],
)  # fmt: skip
def test_h01_the_systems_files_cannot_be_written(ground: Ground, box: BoxId, path: str) -> None:
    assert ground.run(box, f"echo x > {path}").exit_code not in (0, None)


def in_fresh_process(ground: Ground, script: str, before: str = "", env: Mapping[str, str] | None = None) -> str:
    """Run a script in a box that a process of its own makes: nothing of a driver is running before."""
    act = "sys.stdout.buffer.write(driver.execute(box, command).stdout); driver.destroy(box)"
    argv = [sys.executable, "-c", f"{before}\n{orchestrator(ground, script, act)}"]
    done = subprocess.run(argv, env=os.environ | (env or {}), stdout=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 0
    return done.stdout


def test_h12_no_secret_of_the_host_is_in_any_environment(ground: Ground) -> None:
    script = "cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'; env; echo end"
    secrets = {"GITHUB_TOKEN": "ghp_verysecret", "ANTHROPIC_API_KEY": "sk-verysecret"}
    seen = in_fresh_process(ground, script, env=secrets)
    assert seen.endswith("end\n")
    assert "verysecret" not in seen
    assert "GITHUB_TOKEN" not in seen


def test_h13_only_the_standard_descriptors_are_open(ground: Ground) -> None:
    # A high number: a low one could be covered by the descriptors that a box is started with.
    before = "import fcntl, os\nfcntl.fcntl(os.open('/etc/hostname', os.O_RDONLY), fcntl.F_DUPFD, 200)"
    code = "import os\nfound = sorted(os.listdir('/proc/self/fd'), key=int)\n"
    code += "print([d for d in found if os.path.exists(f'/proc/self/fd/{d}')])"
    assert in_fresh_process(ground, f'python3 -c "{code}"', before) == "['0', '1', '2']\n"


def test_h14_the_hosts_homes_and_other_boxes_are_absent(ground: Ground, box: BoxId) -> None:
    other = ground.box(ground.spec(ground.commit({"secret": "other\n"})))
    ground.did(other, "echo topsecret | tee mine > ~/mine")
    places = (Path.home(), ground.state, ground.repository, ground.state / "boxes" / other)
    for place in places:
        assert ground.run(box, f"ls -d {place}/..?* {place}/* 2>/dev/null | grep .").exit_code != 0, place
    assert ground.run(box, "grep -rl topsecre[t] /home /workspace /tmp /run /root 2>/dev/null").stdout == b""
    assert ground.did(box, "ls -A /root /srv /opt /mnt 2>/dev/null | grep -v '^/' | tr -d '\\n'") == ""


def test_h21_the_shared_checkout_and_the_mirror_stay_as_they_are(ground: Ground, box: BoxId) -> None:
    shared = [place for place in (ground.state / "checkouts", ground.state / "mirror.git") if place.is_dir()]
    shared.append(ground.repository)
    before = [fingerprint(place) for place in shared]
    ground.run(
        box,
        "alternates=$(cat .git/objects/info/alternates || echo /none); chmod -R u+w . $alternates; echo x >> README.md;"
        "ln README.md hard; echo x >> hard; rm -rf dir .git/index; mv README.md .git/; rm -rf $alternates/*;"
        "for f in $(find $alternates -type f); do echo x > $f; done; git push . HEAD:refs/heads/evil;"
        "git -C $alternates/.. update-ref refs/heads/evil HEAD",
    )
    assert [fingerprint(place) for place in shared] == before
    assert ground.did(ground.box(ground.spec(ground.git("rev-parse", "HEAD").strip())), "cat README.md") == "hello\n"


def test_h08_links_to_the_host_are_findings_and_what_they_lead_to_stays_out(ground: Ground, box: BoxId) -> None:
    secret = ground.folder / "secret"
    secret.write_text("topsecret\n")
    ground.did(
        box,
        f"ln -s {secret} absolute; ln -s /etc/shadow shadow; ln -s ../../../../../..{secret} up;"
        f"ln -s .git/config git; ln -s /proc/self/root{secret} proc; rm -r dir; ln -s {secret.parent} dir",
    )
    extraction = ground.extract(box)
    assert kinds(extraction) == dict.fromkeys(("absolute", "shadow", "up", "git", "proc", "dir"), "escaping_symlink")
    assert not any(b"topsecret" in content for _, content in ground.listing(extraction.tree).values())


def test_h08_a_folder_swapped_for_a_link_between_two_extractions_is_not_followed(ground: Ground, box: BoxId) -> None:
    (ground.folder / "outside").mkdir()
    (ground.folder / "outside" / "x").write_text("topsecret\n")
    ground.did(box, "mkdir new; echo 1 > new/x")
    assert "new/x" in ground.extract(box).changed
    ground.did(box, f"rm -r new; ln -s {ground.folder}/outside new")
    extraction = ground.extract(box)
    assert kinds(extraction) == {"new": "escaping_symlink"}
    assert "new/x" not in ground.listing(extraction.tree)


def test_h09_a_tree_that_is_swapped_meanwhile_gives_nothing_of_the_host(ground: Ground, box: BoxId) -> None:
    outside = ground.folder / "outside"
    outside.mkdir()
    (outside / "x").write_text("topsecret\n")
    swap = (
        f"import os, time\nend = time.monotonic() + 3\nwhile time.monotonic() < end:\n"
        f" for target in ('inside', {str(outside)!r}):\n"
        "  os.path.islink('dir') and os.unlink('dir') or (os.path.isdir('dir') and os.rename('dir', 'inside'))\n"
        "  os.symlink(target, 'dir')\n print(end='x', flush=True)"
    )
    begun = threading.Event()
    worker = threading.Thread(
        target=lambda: ground.driver.execute(box, Command(("python3", "-c", swap)), lambda _: begun.set())
    )
    worker.start()
    try:
        assert begun.wait(10)
        for _ in range(3):
            extraction = ground.extract(box)
            assert not any(b"topsecret" in content for _, content in ground.listing(extraction.tree).values())
    finally:
        worker.join()


def test_h10_what_is_put_into_a_box_lands_in_its_inbox_alone(ground: Ground, box: BoxId) -> None:
    for name in ("../out", "/etc/out", "a/../../out", "a//b", ".", "nul\0"):
        with pytest.raises(SandboxError):
            ground.driver.put(box, name, b"x")
    ground.run(box, "ln -s /workspace /switchyard/link; mkdir -p /switchyard/d")
    place = ground.driver.put(box, "d/file", b"x")
    assert ground.did(box, f"cat {place}; ls") == "xREADME.md\ndir\n"


def test_h33_special_files_do_not_hold_anything_up(ground: Ground, box: BoxId) -> None:
    script = "import os, socket; os.mkfifo('a'); os.mkfifo('dir/b'); os.symlink('a', 'c');"
    script += "socket.socket(socket.AF_UNIX).bind('s'); os.remove('README.md'); os.mkfifo('README.md')"
    ground.did(box, f'python3 -c "{script}"')
    began = time.monotonic()
    extraction = ground.extract(box)
    assert kinds(extraction) == dict.fromkeys(("README.md", "a", "dir/b", "s"), "special_file")
    assert ground.listing(extraction.tree)["README.md"][1] == b"hello\n"
    assert time.monotonic() - began < 10


def test_h34_bombs_and_names_that_some_system_takes_for_git_meet_a_cap(ground: Ground, box: BoxId) -> None:
    ground.did(box, "truncate -s 150M sparse; mkdir .GIT; : > 'git~1'; mkdir -p sub/.Git; : > sub/.Git/config")
    expected = {"sparse": "too_large", ".GIT": "nested_git", "git~1": "nested_git", "sub/.Git": "nested_git"}
    assert kinds(ground.extract(box)) == expected


def test_h34_files_of_holes_meet_a_cap_together(ground: Ground) -> None:
    spec = ground.spec(ground.commit({"README.md": "hello\n"}), limits=Limits(disk_mb=150))
    box = ground.box(spec)
    ground.did(box, "truncate -s 100M a b c d; echo small > e")
    extraction = ground.extract(box)
    assert (kinds(extraction), extraction.changed) == (dict.fromkeys("cd", "too_large"), ("a", "b", "e"))


def test_h34_an_archive_stays_an_archive(ground: Ground, box: BoxId) -> None:
    script = "import zipfile; z = zipfile.ZipFile('bomb.zip', 'w', zipfile.ZIP_DEFLATED);"
    script += "z.writestr('../../evil', bytes(50 << 20)); z.close()"
    ground.did(box, f'python3 -c "{script}"')
    assert ground.extract(box).changed == ("bomb.zip",)
    assert not list(ground.folder.rglob("evil"))


@pytest.mark.parametrize(
    "name",
    ["a\nb", "a\rb", "a\x1b[31mb", "a\x7fb", "a\x9b31mb", "a\u202egnp.exe", "a\u2066b", "a\u2028b"],
    ids=["newline", "return", "colour", "delete", "C1", "direction", "isolate", "separator"],
)
def test_h31_names_that_forge_a_listing_are_findings(ground: Ground, box: BoxId, name: str) -> None:
    python(ground, box, f"open({name!r}, 'w').close()")
    assert kinds(ground.extract(box)) == {name: "unsafe_name"}


def test_h32_names_that_look_like_options_or_revisions_come_out_as_files(ground: Ground, box: BoxId) -> None:
    names = ["-x", "--upload-pack=touch x", "@{-1}", ":(glob)**", "HEAD", "a b", "*", "é", "e\u0301", "n" * 255]
    python(ground, box, f"for name in {names!r}: open(name, 'w').write(name)")
    extraction = ground.extract(box)
    listing = ground.listing(extraction.tree)
    # Two names of one letter: said, and no reason to leave either out.
    assert [(finding.kind, finding.refused) for finding in extraction.findings] == [("colliding_name", False)] * 2
    assert {name: listing[name][1].decode() for name in names} == {name: name for name in names}


def test_a_change_that_keeps_size_time_and_beginning_is_seen(ground: Ground) -> None:
    text = "a" * 9000 + "\n"
    box = ground.box(ground.spec(ground.commit({"f": text, "g": text})))
    code = (
        "import os\nfor name in 'fg':\n"
        " was = os.stat(name)\n"
        " with open(name, 'r+b') as file:\n  file.seek(8000)\n  file.write(b'b')\n"
        " os.utime(name, ns=(was.st_atime_ns, was.st_mtime_ns))\n"
        "os.rename('g', 'h'); os.link('h', 'g'); os.unlink('h')"
    )
    python(ground, box, code)
    assert ground.extract(box).changed == ("f", "g")


def test_a_tracked_folder_that_is_shut_or_replaced_is_not_taken_for_deleted(ground: Ground) -> None:
    box = ground.box(ground.spec(ground.commit({"shut/a": "a", "pipe/b": "b", "keep": "c"})))
    ground.did(box, "chmod 000 shut; rm -r pipe; mkfifo pipe")
    extraction = ground.extract(box)
    assert set(kinds(extraction)) <= {"shut", "pipe"}
    assert kinds(extraction)["pipe"] == "special_file"
    assert extraction.changed == ()


def test_attributes_of_the_file_system_that_mean_something_to_an_overlay_hide_nothing(ground: Ground) -> None:
    box = ground.box(ground.spec(ground.commit({"dir/a": "a", "dir/b": "b", "c": "c"})))
    code = (
        "import os\n"
        "for name in ('opaque', 'whiteout', 'redirect', 'origin', 'metacopy', 'overlay.opaque'):\n"
        " for kind in ('user', 'trusted'):\n"
        "  for place in ('dir', 'dir/a', 'c', '.'):\n"
        "   try: os.setxattr(place, f'{kind}.overlay.{name}', b'y')\n"
        "   except OSError: pass\n"
        "for place in ('dir/w', 'wh'):\n"
        " try: os.mknod(place, 0o20600, os.makedev(0, 0))\n"
        " except OSError: pass\n"
        "open('dir/a', 'a').write('2')"
    )
    python(ground, box, code)
    assert ground.did(box, "cat dir/a dir/b c") == "a2bc"
    extraction = ground.extract(box)
    assert extraction.changed == ("dir/a",)
    assert set(kinds(extraction)) <= {"dir/w", "wh"}


def test_a_deep_tree_of_many_names_ends_extraction_in_time_and_is_removed(ground: Ground) -> None:
    box = ground.box(ground.spec(ground.commit({"a": "a"}), limits=Limits(disk_mb=500)))
    code = (
        "import os\nfor n in range(20000): open(f'f{n}', 'w').close()\n"
        "for _ in range(900): os.mkdir('d'); os.chdir('d')"
    )
    python(ground, box, code)
    began = time.monotonic()
    extraction = ground.extract(box)
    assert time.monotonic() - began < 60
    assert len(extraction.changed) == 20000
    assert set(kinds(extraction).values()) == {"too_deep"}
    ground.driver.destroy(box)
    assert list(ground.driver.list()) == []
