"""The host's key: made once, kept from others, never told."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from switchyard.attestation import HostKey, KeyUnavailable, read_public

BROKEN = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = HostKey(tmp_path / "switchyard")
    made = key.signer().public_key.keyid
    private, public = tmp_path / "switchyard" / "signing.pem", tmp_path / "switchyard" / "signing.pub.pem"
    assert private.stat().st_mode & 0o777 == 0o600
    assert private.parent.stat().st_mode & 0o777 == 0o700
    assert private.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert load_pem_public_key(public.read_bytes())
    assert HostKey(tmp_path / "switchyard").signer().public_key.keyid == made == read_public(public).keyid
    assert {file.name for file in private.parent.iterdir()} == {"signing.pem", "signing.pub.pem"}


def test_many_who_find_no_key_end_with_the_same(tmp_path: Path) -> None:
    for attempt in range(12):
        folder, start = tmp_path / str(attempt), Barrier(6)

        def sign(_: int, folder: Path = folder, start: Barrier = start) -> str:
            start.wait()
            return HostKey(folder).signer().public_key.keyid

        with ThreadPoolExecutor(6) as pool:
            found = set(pool.map(sign, range(6)))
        assert len(found) == 1
        assert {file.name for file in folder.iterdir()} == {"signing.pem", "signing.pub.pem"}


def test_a_public_half_that_was_lost_or_exchanged_is_written_again(tmp_path: Path) -> None:
    key, public = HostKey(tmp_path), tmp_path / "signing.pub.pem"
    made = key.signer().public_key.keyid
    public.write_text("nonsense")
    assert read_public_after(key, public) == made
    public.unlink()
    assert read_public_after(key, public) == made


def read_public_after(key: HostKey, public: Path) -> str:
    key.signer()
    return read_public(public).keyid


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    HostKey(tmp_path).signer()
    (tmp_path / "signing.pem").chmod(mode)
    with pytest.raises(KeyUnavailable, match="others may read") as caught:
        HostKey(tmp_path).signer()
    assert "chmod 600" in caught.value.hint


def test_where_no_folder_can_be_made_there_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyUnavailable, match="no signing key at"):
        HostKey(tmp_path / "file" / "switchyard").signer()


def test_a_key_of_the_environment_leaves_no_file(tmp_path: Path) -> None:
    pem = HostKey(tmp_path / "made").signer().private_bytes.decode()
    environ = {"HOME": str(tmp_path), "FACTORY_KEY": pem}
    key = HostKey.of(environ, "FACTORY_KEY")
    assert key.public().keyid == HostKey(tmp_path / "made").public().keyid
    assert not (tmp_path / ".config").exists()
    assert pem.splitlines()[1] not in repr(key)


def test_openssl_makes_keys_that_can_be_used(tmp_path: Path) -> None:
    made = subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, check=True).stdout
    environ = {"HOME": str(tmp_path), "FACTORY_KEY": made.decode()}
    assert HostKey.of(environ, "FACTORY_KEY").signer().public_key.keytype == "ed25519"


@pytest.mark.parametrize(
    "value", ["", "  ", "secret words", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"]
)
def test_what_is_no_key_is_refused_and_not_told(tmp_path: Path, value: str) -> None:
    key = HostKey.of({"HOME": str(tmp_path), "FACTORY_KEY": value}, "FACTORY_KEY")
    with pytest.raises(KeyUnavailable, match="FACTORY_KEY") as caught:
        key.signer()
    assert "secret" not in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


def test_the_folder_is_the_users_configuration(tmp_path: Path) -> None:
    assert HostKey.of({"HOME": "/h"}, "").folder == Path("/h/.config/switchyard")
    assert HostKey.of({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "").folder == Path("/x/switchyard")
    assert HostKey.of({"HOME": "/h", "XDG_CONFIG_HOME": "relative"}, "").folder == Path("/h/.config/switchyard")


def test_a_file_that_holds_no_public_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    with pytest.raises(KeyUnavailable, match="no public key at"):
        read_public(file)
    file.write_bytes(b"\xff\x00")
    with pytest.raises(KeyUnavailable, match="holds no public key"):
        read_public(file)
