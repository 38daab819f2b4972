"""Pull requests on GitHub, or on a GitHub Enterprise server, by PyGithub."""

from switchyard_merge.forge.contract import Waiting
from switchyard_merge.forge.github.address import GitHubAddress
from switchyard_merge.forge.github.calls import Calls, GitHubRefused
from switchyard_merge.forge.github.driver import GitHubForge
from switchyard_merge.forge.github.pacing import Clock
from switchyard_merge.forge.github.permissions import TokenCheck, check_token, is_bound, ruleset_advice
from switchyard_merge.forge.github.tokens import AppInstallation, FixedToken, GhCliToken, Tokens, choose_tokens

__all__ = [
    "AppInstallation", "Calls", "Clock", "FixedToken", "GhCliToken", "GitHubAddress", "GitHubForge", "GitHubRefused",
    "TokenCheck", "Tokens", "Waiting", "check_token", "choose_tokens", "is_bound", "ruleset_advice",
]  # fmt: skip
