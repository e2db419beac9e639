"""`make bench-signatures`: what WS-Security costs, with RSA-2048 and with P-256 keys.

One signed question in, signed questions out to the six base services that speak SOAP (FK is REST, and asked unsigned),
their signed answers verified, one signed answer out: seven signatures made and seven verified a question. The base
services are the stub, whose answers are signed beforehand, as they are good for five minutes, and so are the questions,
each of which is taken only once. CPU is that of our gateway's processes alone. Signatures are made and verified on
threads, so that one process can use more than one core; "cores" says how many were kept busy.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from load import rig
from load.gateways import PRODUCTION, Setting, ours
from pki import new_key

from ssbtek_gateway.simulator.wssecurity import Signing
from ssbtek_gateway.wssecurity.sign import Signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from load.rig import Measured
    from pki import Key

KINDS: dict[str, Callable[[], Key] | None] = {"none": None, "RSA-2048": rig.rsa_key, "P-256": new_key}
CONCURRENCY = 16
FIELDS = ("rate", "p50", "p99", "cpu")
# Asked first, and not measured.
WARM = 200


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-signatures", description=__doc__)
    parser.add_argument("--n", type=int, default=1500, help="questions a round (1500)")
    parser.add_argument("--rounds", type=int, default=3, help="of each kind and number of processes (3)")
    parser.add_argument("--quick", action="store_true", help="one short round: only to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.n, options.rounds = 200, 1
    found: dict[tuple[str, int], list[Measured]] = {}
    for number in range(1, options.rounds + 1):
        for kind in KINDS:
            for workers in (1, 2):
                _say(f"round {number} of {options.rounds}: {kind}, {workers} processes")
                found.setdefault((kind, workers), []).append(_measured(kind, workers, options.n))
    _say(f"\n{'signatures':10} {'processes':>9}     q/s   p50 ms   p99 ms CPU ms/q  cores errors")
    for (kind, workers), runs in found.items():
        rate, p50, p99, cpu = (statistics.median(getattr(run, field) for run in runs) for field in FIELDS)
        cores, errors = rate * cpu / 1000, sum(run.errors for run in runs)
        _say(f"{kind:10} {workers:9} {rate:7.1f} {p50:8.1f} {p99:8.1f} {cpu:8.2f} {cores:6.2f} {errors:6}")
    return 1 if any(run.errors for runs in found.values() for run in runs) else 0


def _measured(kind: str, workers: int, count: int) -> Measured:
    make_key = KINDS[kind]
    with tempfile.TemporaryDirectory(prefix="signatures-", dir=rig.WORK) as name:
        folder = Path(name)
        certs = rig.certificates(folder / "certs", make_key or rig.rsa_key)
        setting, answers = replace(PRODUCTION, workers=workers), rig.ANSWERS
        sections: tuple[str, ...] = rig.SECTIONS
        if make_key:
            setting, answers = _signed(certs, workers), _signed_answers(folder, certs)
            sections += ("SignatureValue",)  # in every answer, as a section is
        load = rig.Load(certs, rig.question(folder, rig.SECTIONS), sections)
        with rig.stub(folder, certs, answers=answers) as stub, ours(folder, stub, setting) as gateway:
            if not make_key:
                load.run(gateway.url, "-c", str(CONCURRENCY), "-n", str(WARM))
                return load.measure(gateway.url, gateway.pid, CONCURRENCY, count)
            signer = Signer.load(certs / "client-signing.pem", certs / "client-signing.key", must_understand=True)
            warm = replace(load, question=_signed_questions(folder, signer, WARM))
            warm.run(gateway.url, "-c", str(CONCURRENCY), "-n", str(WARM))
            asking = replace(load, question=_signed_questions(folder, signer, count))
            return asking.measure(gateway.url, gateway.pid, CONCURRENCY, count)


def _signed(certs: Path, workers: int) -> Setting:
    """Everybody signs."""
    own = f'certificate = "{certs}/gateway-signing.pem"\nkey = "{certs}/gateway-signing.key"'
    believed = f'svar = "kravs"\nsvar_certifikat = ["{certs}/agency-signing.pem"]'
    signing = "".join(f"[bastjanst.{kod}.signering]\n{own}\n{believed}\n" for kod in rig.SOAP_SECTIONS)
    return Setting(
        workers=workers,
        organisation='ws_security = "kravs"\nsignerade_svar = true',
        extra=f"{signing}[signering]\n{own}\n",
    )


def _signed_answers(folder: Path, certs: Path) -> Path:
    signing = Signing.load(certs / "agency-signing.pem", certs / "agency-signing.key", certs / "gateway-signing.pem")
    signed = folder / "answers"
    signed.mkdir()
    for path in rig.ANSWERS.iterdir():
        answer = path.read_bytes()
        (signed / path.name).write_bytes(signing.sign(answer) if path.suffix == ".xml" else answer)
    return signed


def _signed_questions(folder: Path, signer: Signer, count: int) -> Path:
    """Questions numbered from 1, a NUL byte after each."""
    path, text = folder / "questions", rig.question_text(rig.SECTIONS)
    with path.open("wb") as file:
        for number in range(1, count + 1):
            file.write(signer.sign(text.replace("@" * 10, f"{number:010}").encode()) + b"\0")
    return path


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
