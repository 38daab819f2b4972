"""What an agent of a real run reaches outside, by gateway and by proxy, and how the ledger tells it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox.upstream import Handler, Upstream, running
from switchyard_sandbox.gateway.place import find_running

from end_to_end.plot import CONFIG, Plot

pytestmark = pytest.mark.sandbox
KEY = "sk-real-key-of-the-maintainer"
ASKING = """\
cat > ask.py <<'END'
import os, urllib.error, urllib.request
place = os.environ["MODELS_BASE_URL"] + "/chat/completions"
headers = {"Authorization": "Bearer " + os.environ["MODELS_API_KEY"]}
print(urllib.request.urlopen(urllib.request.Request(place, b"{}", headers)).read().decode())
for _ in range(2):
    try:
        urllib.request.urlopen("http://other.example/secret")
    except urllib.error.HTTPError as error:
        print(error.code)
END
python3 ask.py > answer.txt
env > env.txt
"""


class Keyed(Plot):
    """A plot whose maintainer has a key."""

    keys: dict[str, str] = {"MODELS_KEY": KEY}  # noqa: RUF012

    @property
    def env(self) -> dict[str, str]:
        """With the key."""
        return super().env | self.keys


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running() as upstream:
        upstream.answer = answer
        yield upstream


@pytest.fixture
def plot(tmp_path: Path, upstream: Upstream) -> Iterator[Plot]:
    endpoint = f'[gateway]\nmodels = {{ url = "{upstream.url}/v1", key_env = "MODELS_KEY" }}\n'
    config = CONFIG.replace("[sandbox]\n", '[sandbox]\nnetwork = ["pypi"]\n') + endpoint
    made = Keyed(tmp_path, {"ask": ASKING}, {"switchyard.toml": config})
    yield made
    found = find_running(made.repo / ".git" / "switchyard" / "gateway")
    if found:
        os.kill(found.pid, signal.SIGTERM)


def answer(handler: Handler) -> None:
    usage = {"prompt_tokens": 11, "completion_tokens": 5}
    handler.say(json.dumps({"model": "m-1", "usage": usage}).encode())


def rows(plot: Plot, kind: str) -> list[dict[str, Any]]:
    events = plot.run("ledger", "tail", "--json", "-n", "1000").events
    return [row["data"] for row in events if row["event_type"] == kind]


def test_what_an_agent_used_and_asked_for_is_in_the_ledger_and_no_key_anywhere(plot: Plot, upstream: Upstream) -> None:
    plot.task("ask")
    assert plot.run("run").code == 0
    assert [(asked[1], asked[2]["authorization"]) for asked in upstream.asked] == [
        ("/v1/chat/completions", f"Bearer {KEY}")
    ]
    (extracted,) = rows(plot, "attempt_extracted")
    assert extracted["models"] == [
        {
            "endpoint": "models",
            "model": "m-1",
            "requests": 1,
            "input_tokens": 11,
            "cached_tokens": 0,
            "cache_write_tokens": 0,
            "output_tokens": 5,
            "uncounted": 0,
            "failed": 0,
        }
    ]
    (refused,) = rows(plot, "egress_decided")
    assert (refused["decision"], refused["count"], refused["attempt"]) == ("refused", 2, 1)
    assert refused["asked"].startswith("GET http://other.example/secret")
    written = [place for place in plot.folder.rglob("*") if place.is_file()]
    assert [place for place in written if KEY.encode() in place.read_bytes()] == []
    environment = plot.git("show", f"{plot.branches()['ask']}:env.txt", at=plot.origin)
    assert "MODELS_API_KEY=sy-" in environment
    assert list((plot.repo / ".git" / "switchyard" / "gateway" / "tokens").iterdir()) == []


PATIENT = """\
import http.client, os, time, urllib.request
place = os.environ["MODELS_BASE_URL"] + "/chat/completions"
headers = {"Authorization": "Bearer " + os.environ["MODELS_API_KEY"]}
answers = 0
give_up = time.monotonic() + 45
while answers < 2 and time.monotonic() < give_up:
    try:
        urllib.request.urlopen(urllib.request.Request(place, b"{}", headers)).read()
        answers += 1
    except (OSError, http.client.HTTPException):
        # Of a gateway that is killed in the middle of an answer, half of it comes.
        pass
    time.sleep(0.2 if answers == 0 else 2)
print(answers, file=open("answers.txt", "w"))
"""


def test_a_gateway_that_is_killed_is_there_again_for_the_same_agent(plot: Plot, upstream: Upstream) -> None:
    def kill_once(handler: Handler) -> None:
        answer(handler)
        found = find_running(plot.repo / ".git" / "switchyard" / "gateway")
        if len(upstream.asked) == 1 and found is not None:
            os.kill(found.pid, signal.SIGKILL)

    upstream.answer = kill_once
    plot.commit({".agents/ask.sh": "python3 ask.py\n", "ask.py": PATIENT})
    plot.task("ask")
    assert plot.run("run").code == 0
    assert plot.git("show", f"{plot.branches()['ask']}:answers.txt", at=plot.origin) == "2\n"


@pytest.mark.nightly
def test_what_set_up_asked_for_is_in_the_ledger_once_and_also_if_it_fails(tmp_path: Path) -> None:
    ask = "import urllib.request as u; u.urlopen('http://other.example/x')\n"
    setup = '[sandbox]\nsetup_network = ["pypi"]\nsetup = ["python3 ask.py || true"]\n'
    config = CONFIG.replace("[sandbox]\n", setup)
    plot = Plot(tmp_path, files={"switchyard.toml": config, "ask.py": ask})
    plot.task("t1")
    assert plot.run("run").code == 0
    (refused,) = rows(plot, "egress_decided")
    assert (refused["role"], refused["decision"], refused["count"], refused["attempt"]) == ("setup", "refused", 1, 1)
    assert refused["asked"].startswith("GET http://other.example/x")
    plot.commit({"switchyard.toml": config.replace(" || true", "")})
    plot.task("t2")
    assert plot.run("run", "t2").code == 1
    assert [row["role"] for row in rows(plot, "egress_decided")] == ["setup", "setup"]


def test_sandbox_run_reaches_the_models_as_a_task_would(plot: Plot, upstream: Upstream) -> None:
    ending = plot.run("sandbox", "run", "--", "sh", ".agents/work.sh", "ask")
    assert ending.code == 0, ending.err
    assert len(upstream.asked) == 1
    assert list((plot.repo / ".git" / "switchyard" / "gateway" / "tokens").iterdir()) == []


def test_a_missing_key_is_told_before_anything_is_done(plot: Plot) -> None:
    assert isinstance(plot, Keyed)
    plot.keys = {}
    plot.task("ask")
    ending = plot.run("run", "--json")
    assert ending.code == 2
    assert "MODELS_KEY" in ending.error["message"]


def test_doctor_tells_whether_a_key_is_there(plot: Plot) -> None:
    assert isinstance(plot, Keyed)

    def line() -> dict[str, Any]:
        lines = plot.run("doctor", "--json").document["environment"]
        return next(line for line in lines if line["name"] == "gateway: models")

    found = line()
    assert found["ok"]
    assert "MODELS_KEY" in found["detail"]
    assert KEY not in str(found)
    plot.keys = {}
    assert not line()["ok"]
