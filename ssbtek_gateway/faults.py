"""THE table of error codes: what each means to a caller, and what the caller should do next.

No list of `felkod` is published for SSBTEK; these codes are the project's own (docs/errors/ has a page for each). Texts
are Swedish, because handläggare and integrators read them. They never hold a value from the message.
"""

from __future__ import annotations

from dataclasses import dataclass

from ssbtek_gateway.model import Failure, Refused


@dataclass(frozen=True, slots=True)
class Fel:
    """One row: what happened (`text`) and what to do (`gor`). `soap` is the SOAP 1.1 fault code of a whole question."""

    felkod: str
    text: str
    gor: str
    soap: str = "Client"


def _table(*rows: Fel) -> dict[str, Fel]:
    return {row.felkod: row for row in rows}


WHOLE_QUESTION = _table(
    Fel(
        "OGILTIGT_MEDDELANDE",
        "Meddelandet är inte ett SOAP 1.1-meddelande som tjänsten kan läsa.",
        "Rätta meddelandet enligt tjänstens WSDL och skicka det igen.",
    ),
    Fel("OGILTIG_FRAGA", "Frågan följer inte kontraktet.", "Rätta det angivna fältet och skicka frågan igen."),
    Fel(
        "OKAND_VERSION",
        "Kontraktsversionen finns inte i denna tjänst.",
        "Ställ frågan i en version som tjänsten publicerar.",
    ),
    Fel("STANGD_VERSION", "Kontraktsversionen är stängd.", "Byt till en öppen version av kontraktet."),
    Fel(
        "EJ_BEHORIG",
        "Certifikatets organisation är inte behörig att ställa frågan.",
        "Kontrollera certifikatet, ingivaren och att organisationen är införd i registret över användare.",
    ),
    Fel(
        "OGILTIG_SIGNATUR",
        "Meddelandets signatur (WS-Security) godtogs inte.",
        "Kontrollera vad som signeras, certifikatet och klockan, och skicka frågan igen med ny Timestamp.",
    ),
    Fel("FOR_STOR", "Meddelandet är för stort.", "Skicka en fråga i taget utan extra innehåll."),
    Fel("FOR_MANGA", "Organisationen har ställt för många frågor på kort tid.", "Vänta och ställ frågan igen."),
    Fel("OVERBELASTAD", "Tjänsten är överbelastad.", "Vänta en stund och ställ frågan igen.", soap="Server"),
    Fel("UNDERHALL", "Tjänsten är stängd för underhåll.", "Ställ frågan igen efter underhållet.", soap="Server"),
    Fel(
        "INTERNT_FEL",
        "Ett tekniskt fel uppstod i den sammansatta tjänsten.",
        "Försök igen. Kontakta supporten om felet kvarstår.",
        soap="Server",
    ),
)

SECTION = _table(
    Fel(
        "EJ_ANSLUTEN",
        "Bastjänsten är inte ansluten till denna tjänst.",
        "Frågan har inte skickats. Hämta uppgifterna på annat sätt.",
    ),
    Fel(
        "TIMEOUT",
        "Bastjänsten svarade inte i tid.",
        "Det betyder inte att uppgifter saknas. Ställ frågan igen senare.",
    ),
    Fel(
        "ANSLUTNING",
        "Det gick inte att ansluta till bastjänsten.",
        "Det betyder inte att uppgifter saknas. Ställ frågan igen senare.",
    ),
    Fel(
        "TLS",
        "En säker anslutning till bastjänsten kunde inte upprättas.",
        "Det betyder inte att uppgifter saknas. Kontakta supporten.",
    ),
    Fel(
        "OGILTIGT_SVAR",
        "Bastjänstens svar gick inte att läsa eller följer inte dess schema.",
        "Det betyder inte att uppgifter saknas. Kontakta supporten om felet kvarstår.",
    ),
    Fel(
        "FEL_PERSON",
        "Bastjänstens svar gällde inte den person som frågan avsåg och lämnas inte ut.",
        "Kontakta supporten.",
    ),
    Fel("OGILTIG_FRAGA", "Frågan går inte att ställa till bastjänsten.", "Rätta det angivna fältet."),
    Fel(
        "EJ_BEHORIG",
        "Organisationen är inte behörig att fråga denna bastjänst.",
        "Frågan har inte skickats. Kontrollera registreringen i registret över användare.",
    ),
    Fel(
        "SPARRAD",
        "Bastjänsten är tillfälligt spärrad efter upprepade fel.",
        "Det betyder inte att uppgifter saknas. Ställ frågan igen senare.",
    ),
    Fel(
        "OVERBELASTAD",
        "För många frågor väntar på bastjänsten.",
        "Det betyder inte att uppgifter saknas. Ställ frågan igen senare.",
    ),
    Fel("UNDERHALL", "Bastjänsten är stängd för underhåll.", "Ställ frågan igen efter underhållet."),
    Fel(
        "INTERNT_FEL",
        "Ett tekniskt fel uppstod i den sammansatta tjänsten.",
        "Det betyder inte att uppgifter saknas. Kontakta supporten om felet kvarstår.",
    ),
    Fel(
        "FAULT",
        "Bastjänsten svarade med ett fel.",
        "Det betyder inte att uppgifter saknas. Kontakta bastjänstens support om felet kvarstår.",
    ),
)


class GatewayFault(Exception):  # noqa: N818 - it becomes a SOAP fault, the standard's own word
    """The whole question fails (contract element `hamtaBastjanstInformationFault`).

    `detalj` names the field, the rule and what would pass, in Swedish, without any value from the message. `reason` is
    for the operator's log, in English, under the same promise. `soap` overrides the table's SOAP fault code where SOAP
    1.1 prescribes one (VersionMismatch, MustUnderstand). `retry_after` is how many seconds the caller should wait.
    """

    def __init__(
        self, felkod: str, detalj: str = "", *, reason: str = "", soap: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(felkod)
        self.fel = WHOLE_QUESTION[felkod]
        self.detalj = detalj
        self.reason = reason or felkod
        self.soap = soap or self.fel.soap
        self.retry_after = retry_after

    def felmeddelande(self, incident: str) -> tuple[str, ...]:
        """The contract's `felmeddelande+`: what happened, what exactly, what to do, and what to quote to support."""
        texts = (self.fel.text, self.detalj, self.fel.gor, f"Ange händelse-id {incident} vid kontakt med supporten.")
        return tuple(text for text in texts if text)


def failure(felkod: str, detalj: str = "", *, reason: str = "") -> Failure:
    """A section error that the combined service itself concluded (`kalla` SSBT)."""
    return Failure("SSBT", felkod, _section_text(felkod, detalj), reason)


def timeout(fas: str, limit: float, elapsed: float, *, reason: str) -> Failure:
    """A TIMEOUT that says in which phase (anslutning, svar), what the limit is, and how long it really took."""
    grans, tid = (number.replace(".", ",") for number in (f"{limit:g}", f"{elapsed:.1f}"))
    detalj = f"Fas: {fas}. Gräns: {grans} sekunder. Förfluten tid: {tid} sekunder."
    return failure("TIMEOUT", detalj, reason=reason)


def agency_fault(felkod: str = "FAULT", *, detalj: str = "", reason: str) -> Failure:
    """A section error that the agency itself reported (`kalla` BT), with its own code where its schema has one."""
    return Failure("BT", felkod, _section_text("FAULT", detalj), reason)


def refused(reason: str, detalj: str = "") -> Refused:
    """A section that the caller's registration does not allow."""
    return Refused("SSBT", "EJ_BEHORIG", _section_text("EJ_BEHORIG", detalj), reason)


def _section_text(felkod: str, detalj: str) -> tuple[str, ...]:
    fel = SECTION[felkod]
    return tuple(text for text in (fel.text, detalj, fel.gor) if text)
