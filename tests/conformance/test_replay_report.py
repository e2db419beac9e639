"""The HTML report of `replay` in a real browser: readable side by side, silent on the network, and nothing runs."""

from __future__ import annotations

import json
import re
import subprocess
from base64 import b64encode
from html import unescape
from typing import TYPE_CHECKING

import external
import pytest
from conformance.replaying import listening, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.external

ATTACK = "<img src=x onerror=\"document.title='ran'\">"
SCRIPT = "<script>document.title='ran'</script>"
POLICY = re.compile(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>")
# What a reader sees, told by the page itself: in a copy without the policy, which would not let this run.
PROBE = """<script>
const place = cell => { const box = cell.getBoundingClientRect(); return {
  text: cell.textContent, left: box.left, right: box.right, top: box.top, height: box.height,
  background: getComputedStyle(cell).backgroundColor } };
document.title = JSON.stringify({
  title: document.title,
  active: document.querySelectorAll("script, img, link, iframe, object, embed, [src], [onerror]").length,
  rows: [...document.querySelectorAll(".row.changed")].map(row => [...row.children].map(place)) });
</script>"""


def envelope(belopp: int, text: str) -> bytes:
    lefi = b64encode(json.dumps({"arenden": [{"belopp": 1}, {"belopp": belopp}]}).encode()).decode()
    return f"<svar><lefi>{lefi}</lefi><text><![CDATA[{text}]]></text></svar>".encode()


@pytest.fixture(scope="module")
def report(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of one question whose name, stored answer and answer all want to be markup."""
    folder, out = tmp_path_factory.mktemp("fixtures"), tmp_path_factory.mktemp("out") / "report.html"
    (folder / f"{ATTACK}.request.xml").write_bytes(b"<a/>")
    (folder / f"{ATTACK}.response.xml").write_bytes(envelope(2, f"{SCRIPT} 1"))
    (folder / f"{ATTACK}.toml").write_text(f"ignore = [\"//x[. = '{SCRIPT[:8]}'] | //arenden/item[1]\"]")
    with listening(pki, answer=envelope(3, f"{SCRIPT}{ATTACK} & 2")) as (url, _):
        done = run(folder, url, pki, "--html", str(out))
    assert done.exit_code == 1, done.output
    return out.read_text(encoding="utf-8")


def shown(page: str, folder: Path) -> tuple[str, list[str]]:
    """The document's title once a browser has shown the page, and every address that the browser asked for."""
    program = external.need("chromium-headless-shell", "chromium-headless-shell")
    path, log = folder / "page.html", folder / "net.json"
    path.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [
            program,
            *("--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}"),
            *("--window-size=1200,900", "--virtual-time-budget=2000", "--dump-dom", path.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    net = json.loads(log.read_bytes())
    kinds = {number: name for name, number in net["constants"]["logEventTypes"].items()}
    started = (event.get("params", {}) for event in net["events"] if kinds[event["type"]] == "URL_REQUEST_START_JOB")
    requests = [params["url"] for params in started if "url" in params]
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title is not None, done.stdout
    return unescape(title[1]), requests


def test_the_report_opens_without_network_and_runs_nothing(report: str, tmp_path: Path) -> None:
    title, requests = shown(report, tmp_path)
    assert title.startswith("Replay of ")
    assert requests == []


def test_the_answers_stand_side_by_side(report: str, tmp_path: Path) -> None:
    title, _ = shown(POLICY.sub("", report).replace("</body>", f"{PROBE}</body>"), tmp_path)
    seen = json.loads(title)
    # Without the policy too nothing is active but the probe: what was fetched is text.
    assert (seen["title"].startswith("Replay of "), seen["active"]) == (True, 1)
    assert [[cell["text"].strip() for cell in row] for row in seen["rows"]] == [
        ['<belopp type="number">2</belopp>', '<belopp type="number">3</belopp>'],
        [f"<text>{SCRIPT} 1</text>", f"<text>{SCRIPT}{ATTACK} & 2</text>"],
    ]
    for stored, answered in seen["rows"]:
        assert 0 <= stored["left"] < stored["right"] <= answered["left"] < answered["right"] <= 1200
        assert stored["top"] == answered["top"]
        assert stored["height"] > 0
        assert len({stored["background"], answered["background"], "rgba(0, 0, 0, 0)"}) == 3


def test_the_browser_would_have_told_of_a_request_and_run_a_script(report: str, tmp_path: Path) -> None:
    image = '<img src="http://127.0.0.1:9/x.png">'
    title, requests = shown(POLICY.sub("", report).replace("</body>", f"{image}{SCRIPT}</body>"), tmp_path)
    assert title == "ran"
    assert requests == ["http://127.0.0.1:9/x.png"]
    # The policy alone stops both.
    title, requests = shown(report.replace("</body>", f"{image}{SCRIPT}</body>"), tmp_path)
    assert (title.startswith("Replay of "), requests) == (True, [])
