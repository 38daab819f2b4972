"""Places where passwords stand: what a line or two around a value say that it is one."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TELLS = (
    r"(?i:passw(?:or)?d|passphrase|secret|(?<!publicKey)token|credential"
    r"|(?:api|access|private|client|signing|encryption)[_-]?key)"
)
_VALUE = r"""([\w!@#%^&*+=~-][^\s"'`<>(){}\[\]\\|,;]{7,200})"""
_ANYWHERE = (
    # c.setPassword("…"), Password: "…", login("password", "…")
    rf"""{_TELLS}s?\d{{0,2}}["'\]]{{0,2}}\s{{0,9}}(?:=>|:=|[:=,(])\s{{0,9}}["'`]{_VALUE}["'`]""",
    # process.env.API_KEY || "…", environ.get("API_KEY", "…"), env::var("API_KEY").unwrap_or("…")
    rf"""(?i:env)\w{{0,9}}\b[^;]{{0,60}}?{_TELLS}s?\d{{0,2}}\b[^;]{{1,40}}?["'`]{_VALUE}["'`]""",
    rf"""\$\{{\w{{0,40}}{_TELLS}s?\d{{0,2}}:?[-=]{_VALUE}\}}""",
    rf"""<(?:[\w.-]{{0,40}}[.:_-])?{_TELLS}>\s{{0,9}}{_VALUE}\s{{0,9}}</""",
    rf"""\s--[\w-]{{0,30}}{_TELLS}[= ]["']?{_VALUE}["']?(?:\s|$)""",
    rf"""\bcurl\s.{{0,200}}?(?:-u|--user)[= ]?["']?[\w.@-]{{1,60}}:{_VALUE}["']?(?:\s|$)""",
    rf"""\bsshpass\s{{1,9}}-p\s?["']?{_VALUE}["']?(?:\s|$)""",
    rf"""(?:\blogin\s{{1,9}}\S{{1,100}}|^)\s{{1,9}}password\s{{1,9}}{_VALUE}\s{{0,9}}$""",
    rf"""\b_(?:authToken|auth|password)\s{{0,9}}=\s{{0,9}}["']?{_VALUE}""",
)
_IN_SETTINGS = (
    rf"""(?:^|\s)[A-Z0-9_]{{0,40}}{_TELLS}S?\d{{0,2}}={_VALUE}(?:\s|$)""",
    rf"""^\s{{0,9}}(?i:ENV)\s{{1,9}}[A-Z0-9_]{{0,40}}{_TELLS}S?\d{{0,2}}\s{{1,9}}{_VALUE}\s{{0,9}}$""",
)
_PGPASS = rf"""^[^:\s#]{{1,100}}:[\d*]{{1,5}}:[^:\s]{{1,100}}:[^:\s]{{1,100}}:{_VALUE}\s{{0,9}}$"""
_PAIR = re.compile(
    rf"""(?i:["']?\b(?:name|key)["']?\s{{0,9}}[:=]\s{{0,9}}["']?[\w.-]{{0,60}}){_TELLS}s?\d{{0,2}}["']?\s{{0,9}},?\s{{1,200}}"""
    rf"""["']?(?i:value)["']?\s{{0,9}}[:=]\s{{0,9}}["']?{_VALUE}(?=["']?\s{{0,9}}(?:,|\}}|$))""",
    re.MULTILINE,
)
_SOMEWHERE = re.compile(_TELLS + r"|curl|sshpass|_auth")
_FORMS = [re.compile(form) for form in _ANYWHERE]
_SETTINGS_FORMS = [re.compile(form) for form in _IN_SETTINGS]


def placed_values(line: str, *, in_settings: bool, is_pgpass: bool) -> Iterator[str]:
    """Values of one line that stand where a password would.

    Args:
        in_settings: The file is one of settings or a script, where a value needs no quotes.
        is_pgpass: The file is PostgreSQL's of passwords, which names nothing.
    """
    plain = line.replace('\\"', '"')
    if is_pgpass and (match := re.match(_PGPASS, plain)):
        yield match[1]
    if _SOMEWHERE.search(plain):
        for form in (*_FORMS, *(_SETTINGS_FORMS if in_settings else ())):
            for match in form.finditer(plain):
                yield match[1]


def paired_values(text: str) -> Iterator[tuple[int, str]]:
    """Place and value of each pair of a telling name and a value, as Kubernetes and its like write them."""
    for match in _PAIR.finditer(text):
        yield match.start(1), match[1]
