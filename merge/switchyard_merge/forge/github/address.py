"""Where a repository is on GitHub: its name, the API that serves it and the URL that git takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from switchyard_git import without_password

from switchyard_merge.errors import ForgeRefused

PUBLIC_API = "https://api.github.com"
_PUBLIC_HOSTS = ("github.com", "www.github.com", "ssh.github.com")
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>[^:]+)")
_NAME = re.compile(r"[\w.-]+")
_HINT = 'set `repository = "owner/name"` under [forge], or give the remote a URL such as https://github.com/owner/name'


@dataclass(frozen=True)
class GitHubAddress:
    """One repository."""

    owner: str
    name: str
    api_url: str = PUBLIC_API
    """Without a slash at its end."""

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def host_url(self) -> str:
        """Where git and browsers go: scheme, host and port."""
        parts = urlsplit(self.api_url)
        # `api.github.com` and `api.NAME.ghe.com` have their git beside them; an Enterprise server its API below it.
        return f"{parts.scheme}://{parts.netloc if parts.path else parts.netloc.removeprefix('api.')}"

    @property
    def clone_url(self) -> str:
        """The URL for git over HTTP; it never holds a credential."""
        return f"{self.host_url}/{self.full_name}.git"

    @classmethod
    def parse(cls, url: str, *, api_url: str = "") -> GitHubAddress:
        """The repository that a remote's URL or a bare `owner/name` means.

        Args:
            url: `https://…`, `ssh://…`, `git@host:owner/name`, each with or without `.git`; or `owner/name`.
            api_url: Of a GitHub Enterprise server; empty: GitHub's own, or `https://HOST/api/v3` for another host.

        Raises:
            ForgeRefused: It names no repository.
        """
        host, path = _split(url.strip())
        names = path.strip("/").removesuffix(".git").split("/")
        if len(names) != 2 or not all(_NAME.fullmatch(name) and name.strip(".") for name in names):
            raise ForgeRefused(f"{without_password(url)!r} names no repository on GitHub", hint=_HINT)
        return cls(names[0], names[1], api_url.rstrip("/") or _api_of(host))


def _split(url: str) -> tuple[str, str]:
    """Host and path; no host for a bare name."""
    if "://" in url:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            port = f":{parts.port}" if parts.port and parts.scheme in ("http", "https") else ""
        except ValueError:
            return "", ""
        return (host + port, parts.path) if parts.scheme in ("http", "https", "ssh", "git", "git+ssh") else ("", "")
    scp = _SCP.fullmatch(url)
    return (scp["host"], scp["path"]) if scp else ("", url)


def _api_of(host: str) -> str:
    host = host.lower()
    if not host or host in _PUBLIC_HOSTS:
        return PUBLIC_API
    return f"https://api.{host}" if host.endswith(".ghe.com") else f"https://{host}/api/v3"
