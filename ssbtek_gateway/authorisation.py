"""The register över användare: who may ask what. Default deny."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ssbtek_gateway.faults import GatewayFault, refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssbtek_gateway.config import Organisation
    from ssbtek_gateway.config.signering import WsSecurity
    from ssbtek_gateway.model import Caller, Question, Refused

_STRICTNESS: tuple[WsSecurity, ...] = ("av", "tillaten", "kravs")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a question may do: whom it may not ask, and why, the supplier that asks, if any, and what it gets beside."""

    refused: Mapping[str, Refused]
    bitrade: str | None
    svarsoversikt: bool = False


@dataclass(frozen=True, slots=True)
class Signatures:
    """Whether a party's messages must be signed, and whether answers to it are."""

    ws_security: WsSecurity = "av"
    signerade_svar: bool = False


class Register:
    """The organisations of the configuration, by organisation number."""

    def __init__(self, organisations: Iterable[Organisation]) -> None:
        self._organisations = {organisation.organisationsnummer: organisation for organisation in organisations}
        self._signatures: dict[str, Signatures] = {}
        for organisation in self._organisations.values():
            for number in (organisation.organisationsnummer, *organisation.bitraden):
                before = self._signatures.get(number, Signatures())
                self._signatures[number] = _stricter(organisation, before)

    def signatures(self, caller: Caller) -> Signatures:
        """What holds for the caller's messages: for a supplier, the strictest of what holds for those it asks for."""
        return self._signatures.get(caller.organisationsnummer, Signatures())

    @property
    def anybody_signs(self) -> bool:
        """Whether there is anybody whose messages must or may be signed."""
        return any(found.ws_security != "av" for found in self._signatures.values())

    def admit(self, caller: Caller) -> None:
        """Raises `GatewayFault` EJ_BEHORIG where the caller is in the register neither for itself nor as a supplier."""
        number = caller.organisationsnummer
        known = self._organisations.values()
        if number not in self._organisations and not any(number in organisation.bitraden for organisation in known):
            raise GatewayFault("EJ_BEHORIG", reason="the certificate's organisation is not in the register")

    def authorise(self, caller: Caller, question: Question) -> Grant:
        """Whether `caller` may ask `question`, and which base services.

        Raises `GatewayFault` EJ_BEHORIG: one text for every reason to the caller, the reason itself for the log.
        """
        ingivare = question.ingivare.organisationsnummer
        organisation = self._organisations.get(ingivare)
        bitrade = caller.organisationsnummer if caller.organisationsnummer != ingivare else None
        reason = None
        if organisation is None:
            reason = "ingivare is not in the register"
        elif bitrade is not None and bitrade not in organisation.bitraden:
            reason = "the certificate's organisation is not registered as a supplier of the ingivare"
        elif bitrade is not None and bitrade not in {party.organisationsnummer for party in question.bitraden}:
            reason = "the supplier is registered but not declared in personuppgiftsbitrade"
        elif question.version not in organisation.versioner:
            reason = "the organisation is not registered for this contract version"
        elif organisation.syften != "alla" and question.syfte not in organisation.syften:
            reason = "the organisation is not registered for this syfte"
        if organisation is None or reason is not None:
            raise GatewayFault("EJ_BEHORIG", reason=reason or "")
        return Grant(_refused(organisation, question), bitrade, organisation.svarsoversikt)


def _stricter(one: Organisation, other: Signatures) -> Signatures:
    ws_security = max(one.ws_security, other.ws_security, key=_STRICTNESS.index)
    return Signatures(ws_security, one.signerade_svar or other.signerade_svar)


def _refused(organisation: Organisation, question: Question) -> dict[str, Refused]:
    beyond = [kod for kod in question.perioder if kod not in organisation.bastjanster]
    found = dict.fromkeys(beyond, refused("not in the organisation's bastjanster")) if beyond else {}
    if question.fk is not None and question.fk.aktorsid not in organisation.aktorsid:
        found.setdefault(
            "FK", refused("aktorsid is not the organisation's", "aktorsid: är inte registrerat för ingivaren.")
        )
    return found
