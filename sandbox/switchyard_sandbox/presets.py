"""Names for the hosts that belong together: package registries and model endpoints, as `network` may list them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PRESETS: Mapping[str, tuple[str, ...]] = {
    "pypi": ("pypi.org", "files.pythonhosted.org"),
    "npm": ("registry.npmjs.org",),
    "yarn": ("registry.yarnpkg.com", "registry.npmjs.org"),
    "crates": ("crates.io", "index.crates.io", "static.crates.io"),
    "rustup": ("static.rust-lang.org",),
    "go": ("proxy.golang.org", "sum.golang.org", "storage.googleapis.com"),
    "maven": ("repo.maven.apache.org", "repo1.maven.org"),
    "gradle": ("services.gradle.org", "downloads.gradle.org", "plugins.gradle.org", "repo.maven.apache.org"),
    "rubygems": ("rubygems.org", "index.rubygems.org"),
    "packagist": ("packagist.org", "repo.packagist.org"),
    "nuget": ("api.nuget.org",),
    "conda": ("conda.anaconda.org", "repo.anaconda.com"),
    "debian": ("deb.debian.org", "security.debian.org"),
    "ubuntu": ("archive.ubuntu.com", "security.ubuntu.com", "ports.ubuntu.com"),
    "alpine": ("dl-cdn.alpinelinux.org",),
    "github": ("github.com", "codeload.github.com", "objects.githubusercontent.com", "raw.githubusercontent.com"),
    "anthropic": ("api.anthropic.com",),
    "openai": ("api.openai.com",),
    "gemini": ("generativelanguage.googleapis.com",),
}
"""`github` lets anybody's code in and, with somebody's token, anything out: only for dependencies that need it."""


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """Put the hosts of a preset where its name stands; everything else stays, and nothing comes twice."""
    return tuple(dict.fromkeys(host for name in names for host in PRESETS.get(name, (name,))))
