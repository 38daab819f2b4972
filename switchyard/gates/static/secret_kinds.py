"""What secrets look like: the detectors of detect-secrets that are precise, and forms that they do not know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

_DETECTORS = (
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("jwt", "JwtTokenDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("npm", "NpmDetector"),
    ("private_key", "PrivateKeyDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
    ("telegram_token", "TelegramBotTokenDetector"),
)
"""Left out: those whose form is that of hashes and words (Artifactory, Cloudant, IBM, SoftLayer, Twilio), public
addresses, OpenAI, whose form takes time without bound, and the entropy of strings by itself, which takes hashes and
test data for secrets."""

_FORMS = {
    "Anthropic key": r"\bsk-ant-[a-z0-9]{3,10}-[\w-]{24,}",
    "OpenAI key": r"\bsk-(?:(?:proj|svcacct|admin)-[\w-]{40,200}|[\w-]{0,120}T3BlbkFJ[A-Za-z0-9]{20})",
    "model provider's key": r"\b(?:sk-or-v1-[0-9a-f]{64}|gsk_[A-Za-z0-9]{48,}|r8_[A-Za-z0-9]{37}|xai-[A-Za-z0-9]{70,})",
    "GitHub token": r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{50,}",
    "Google API key": r"\bAIza[\w-]{35}(?![\w-])",
    "Google OAuth secret": r"\b(?:GOCSPX-[\w-]{28}|ya29\.[\w-]{30,})",
    "Hugging Face token": r"\bhf_[A-Za-z]{34}\b",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "Slack token": r"\b(?:xapp-\d-[A-Z0-9]+-\d+-[a-f0-9]{32,}|xoxe(?:\.xox[bp])?-\d-[\w]{60,}|xox[abeoprs]-[\w-]{24,})",
    "Stripe key": r"\b(?:(?:sk|rk)_(?:live|test)_[0-9a-zA-Z]{20,}|whsec_[A-Za-z0-9+/]{32,})",
    "DigitalOcean token": r"\bdo[opr]_v1_[a-f0-9]{64}\b",
    "Shopify token": r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b",
    "Databricks token": r"\bdapi[a-f0-9]{32}\b",
    "Vault token": r"\bhv[sbr]\.[\w-]{24,}",
    "Terraform Cloud token": r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}",
    "Linear key": r"\blin_api_[A-Za-z0-9]{40}\b",
    "Twilio key": r"\bSK[0-9a-f]{32}\b",
    "Docker token": r"\bdckr_pat_[\w-]{27,}",
    "Azure client secret": r"(?<![\w~.-])[\w~.-]{3}8Q~[\w~.-]{34}(?![\w~.-])",
    "age key": r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b",
    "private key": r"BEGIN (?:ENCRYPTED |ED25519 )PRIVATE KEY|PuTTY-User-Key-File-3",
    "AWS secret key": (
        r"""(?i:aws_?secret_?(?:access_?)?key(?:_id)?)["']?\s{0,9}[:=]\s{0,9}["']?([0-9A-Za-z/+]{40})(?![0-9A-Za-z/+=])"""
    ),
    "Azure storage key": r"(?i:(?:Account|SharedAccess)Key)=([A-Za-z0-9+/]{42,86}={1,2})",
    "authorization header": (
        r"(?i:authorization)[\"']?\s{0,9}[:=,]\s{0,9}[\"']?(?i:bearer|basic|token)\s+([\w.+/~-]{20,}={0,2})"
    ),
}
_KEY_BODY = re.compile(r"[A-Za-z0-9+/]{20,}")
_KEY_LINE = re.compile(
    r"""(?m)(?:^|\\n|["'`])[ \t]{0,20}(?=[a-z+/]*[A-Z0-9])[A-Za-z0-9+/]{8,}={0,2}[ \t]{0,20}(?:$|\\[nr]|["'`])"""
)
_KEY_WITHIN = 600
_URL = re.compile(
    r"(?<![\w.+-])([a-zA-Z][\w+.-]{1,30})://([^\s:/?#\[\]@\"'`<>]{0,100}):([^\s/?#\"'`<>]{3,200})@([\w.-]+)"
)
_LOCAL = re.compile(
    r"(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|db|host|hostname|.*\.(test|example|invalid|local)|(.*\.)?example\.\w+)$"
)


@cache
def detectors() -> list[RegexBasedDetector]:
    """Those of detect-secrets; taken by themselves, so that nothing of its settings or its verification is used."""
    return [getattr(import_module(f"detect_secrets.plugins.{name}"), kind)() for name, kind in _DETECTORS]


@cache
def _forms() -> dict[str, re.Pattern[str]]:
    return {kind: re.compile(form) for kind, form in _FORMS.items()}


@cache
def _keywords() -> tuple[Any, Any, Any]:
    """The detector of assignments to telling names, its forms by file type, and what tells a file's type."""
    module = import_module("detect_secrets.plugins.keyword")
    return module.KeywordDetector(), module.REGEX_BY_FILETYPE, module.determine_file_type


def formed_secrets(text: str) -> Iterator[tuple[int, str, str]]:
    """Place, kind and value of everything with the form of a secret."""
    for detector in detectors():
        name, is_valid = detector.secret_type, getattr(detector, "is_formally_valid", bool)
        for form in detector.denylist:
            for match in form.finditer(text):
                if is_valid(match[0]) and (name != "Private Key" or _has_body(text, match.end())):
                    yield match.start(), name, match[0]
    for kind, pattern in _forms().items():
        for match in pattern.finditer(text):
            if kind != "private key" or _has_body(text, match.end()):
                yield match.start(), kind, match[match.lastindex or 0]
    for match in _URL.finditer(text):
        if not _LOCAL.match(match[4].lower()):
            yield match.start(), "password in an address", match[3]


def _has_body(text: str, after: int) -> bool:
    """Whether a key follows its heading, which code that reads keys has too."""
    around = text[after : after + _KEY_WITHIN]
    return bool(_KEY_LINE.search(around)) or any(re.search("[0-9+/]", run) for run in _KEY_BODY.findall(around))


def assigned_values(path: str, line: str) -> Iterator[str]:
    """Values that a line gives to what is called a password, a secret or a key."""
    detector, by_type, type_of = _keywords()
    yield from detector.analyze_string(line, by_type.get(type_of(path)))
