"""The configuration: frozen models over one TOML file. An unknown key is an error; a risky field says its risk.

Relative paths are relative to the file's own folder.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from ssbtek_gateway import postgresql_url
from ssbtek_gateway.config.calendar import Underhall, Version
from ssbtek_gateway.config.issuers import Utfardare
from ssbtek_gateway.config.log import Log, Tracing
from ssbtek_gateway.config.proxy import Proxy
from ssbtek_gateway.config.rates import Rates
from ssbtek_gateway.config.signering import BastjanstSignering, Signering, WsSecurity
from ssbtek_gateway.config.types import FilePath, Model, Organisationsnummer, PostgresqlUrl, Seconds, Url

if TYPE_CHECKING:
    from pathlib import Path

Kod = Literal["AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV"]
KODER: tuple[Kod, ...] = ("AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV")


class ConfigError(Exception):
    """The configuration cannot be used; one line of English for each thing that is wrong."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))


class Listen(Model):
    """Where callers come in, over mutual TLS."""

    host: str = "127.0.0.1"
    port: int = Field(8443, ge=0, le=65535)
    certificate: FilePath
    key: FilePath
    client_authorities: tuple[FilePath, ...] = ()
    """The authorities that issue callers' certificates, where no `utfardare` says more about them; every known form of
    organisation number is accepted then, and nothing is ever revoked. Risk: whoever these certify gets past TLS. List
    issuing authorities only, never the system's store."""
    handshake_seconds: Seconds = 10
    """Risk: longer lets half-open handshakes occupy connections."""
    handshakes: int = Field(200, ge=1)
    """TLS handshakes under way at once; a further one cuts off the oldest. Risk: too few, and slow callers are cut."""
    header_seconds: Seconds = 10
    body_seconds: Seconds = 20
    """For the message to come, and again for the answer to be read."""
    idle_seconds: Seconds = 30
    connections: int = Field(1000, ge=1)
    """In each worker; a further one gets HTTP 503. Risk: above the descriptor limit none can be accepted."""


class Publish(Model):
    """An optional second port that gives out the WSDL and its schemas, and nothing else, without client certificate."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)


class Limits(Model):
    """Bounds on one question."""

    message_bytes: int = Field(262_144, ge=1024)
    """Above it HTTP 413. Risk: a larger message occupies the process for longer; a real question is about 2 kB."""
    text_characters: int = Field(1000, ge=100)
    """The longest text in a question, but lefiJsonFraga (FOR_STOR). Risk: the audit keeps four of them a question."""
    upprepningar: int = Field(20, ge=1)
    """How often what may be repeated in a question may stand in it: personuppgiftsbitrade, and years to SKV."""
    question_seconds: Seconds = 25
    """From asking the base services to the answer. Risk: a client that reads for 30 s loses one that comes later."""
    assembly_seconds: Seconds = 1
    """The part of it that is kept for putting the answer together and recording; the base services have the rest."""

    questions: int = Field(500, ge=1)
    """Questions answered at once in each worker. Risk: each may hold an answer of every base service in memory."""
    queued: int = Field(500, ge=0)
    """Questions that wait for one of those places; a further one is refused (OVERBELASTAD)."""
    queue_seconds: Seconds = 2
    """How long one waits. Risk: it comes on top of `question_seconds`, while the client's reading time runs."""

    @property
    def service_seconds(self) -> float:
        return self.question_seconds - self.assembly_seconds

    @model_validator(mode="after")
    def _services_have_time(self) -> Limits:
        if self.service_seconds <= 0:
            raise ValueError("assembly_seconds leaves nothing of question_seconds for the base services")
        return self


class Regler(Model):
    """What a question must hold beyond the published contract, where operators differ."""

    kontrollsiffra: Literal["krav", "tillat"] = "tillat"
    """A wrong check digit is refused, or passed on. Risk: "tillat" asks about mistyped numbers, and "nothing found"
    comes back about nobody; "krav" refuses some vendors' test numbers."""


class Audit(Model):
    """The record of who asked about whom. A question is refused where it cannot be written.

    It is kept in `database` or in `postgresql`.
    """

    database: FilePath | None = None
    """An SQLite file; it is created. Risk: on a disk that does not honour fsync, rows can be lost in a power cut."""
    postgresql: PostgresqlUrl | None = None
    """A database that several gateways may share, as a URL without password. Risk: without sslmode=verify-full whoever
    stands between sees who is asked about, and can take the rows without keeping them."""
    password_file: FilePath | None = None
    """The password for `postgresql`, read at every connection. Without it libpq looks in PGPASSFILE. Risk: with a role
    that may do more than SELECT and INSERT, whoever takes over the gateway can remove rows."""
    key: FilePath
    """At least 32 random bytes. Risk: whoever has both it and the database can find a person's rows."""
    key_id: str = Field(min_length=1, max_length=40)
    chain_key: FilePath
    """At least 32 random bytes, other than `key`. Risk: whoever has both it and the database can change rows unseen."""
    heads: FilePath | None = None
    """A folder where signed heads are written. Risk: without them, rows that are cut off at the end are not missed."""
    heads_seconds: float = Field(3600, gt=0, le=86_400)
    """Between two heads. Risk: a cut-off end is missed up to the last head only."""

    @model_validator(mode="after")
    def _is_kept_somewhere(self) -> Audit:
        if (self.database is None) == (self.postgresql is None):
            raise ValueError("name either database or postgresql")
        if self.password_file is not None and self.postgresql is None:
            raise ValueError("password_file is of no use without postgresql")
        return self


class Processes(Model):
    """The processes that answer. Limits, rates and circuit breakers are each one's own."""

    workers: int = Field(2, ge=1, le=64)
    """One for each processor core. Risk: each holds its own memory, connections to agencies and audit file."""
    hung_seconds: float = Field(30, ge=3, le=300)
    """A worker that has not given a sign for so long is killed and replaced, with the questions that it holds."""


class Management(Model):
    """Health and metrics over plain HTTP, without any authentication.

    Risk: whoever reaches it sees which agencies are away and how much is asked, though nothing about a person. Leave it
    on loopback, or on a network that only monitoring reaches.
    """

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    warn_days: int = Field(30, ge=0)
    """How long before a certificate expires `/health/ready` begins to warn."""
    warn_hours: float = Field(12, ge=0)
    """How long before a revocation list can no longer be relied on, and every caller of its issuer is refused."""


class Bastjanst(Model):
    """How one base service is reached."""

    url: Url
    authority: FilePath | None = None
    """The only authority trusted for this service. Required for https."""
    certificate: FilePath | None = None
    key: FilePath | None = None
    seconds: Seconds = 20
    """The whole call, from waiting for a connection to the last byte of the answer."""
    connect_seconds: Seconds = 5
    connections: int = Field(50, ge=1)
    answer_bytes: int = Field(4_194_304, ge=1024)
    """Risk: an answer is held in memory; this times `connections` is the most that this service can occupy."""
    samtidiga: int = Field(50, ge=1)
    """Questions at once, however many connections each uses. Risk: above what the agency bears, all get slower."""
    wait_seconds: Seconds = 2
    """How long a question waits for one of those places, within `seconds`; then its section is OVERBELASTAD."""
    sparr_efter: int = Field(5, ge=1)
    """Questions in a row without an answer after which the service is left alone (SPARRAD). Risk: at 1 a single
    broken connection costs every question for `sparr_seconds`."""
    sparr_seconds: Seconds = 30
    """How long it is left alone; then one question tries. Risk: longer keeps a service away that is well again."""
    underhall: tuple[Underhall, ...] = ()
    allow_plain_http: bool = False
    """Risk: personal data in the clear. Only for a service on this machine, never in production."""

    @model_validator(mode="after")
    def _transport_is_decided(self) -> Bastjanst:
        if self.url.startswith("http://"):
            if not self.allow_plain_http:
                raise ValueError("url is http://: use https, or set allow_plain_http for a test on this machine")
        elif self.authority is None:
            raise ValueError("authority is missing: name the authority that issued the service's certificate")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        return self


class SoapBastjanst(Bastjanst):
    """One that speaks SOAP."""

    signering: BastjanstSignering | None = None


class AfTest(Model):
    """Whom AF's own test is about: a test number and an organisation that AF has been told of."""

    personidentitet: str = Field(pattern=r"^[0-9]{12}$")
    organisationsnummer: Organisationsnummer
    namn: str = Field(min_length=1)


class Af(SoapBastjanst):
    """Arbetsförmedlingen."""

    test: AfTest | None = None
    """Without it `testaBastjanstInformation` only sees whether a connection comes about."""


class Fk(SoapBastjanst):
    """LEFI v9; `url` is what stands before `/lefi-extern-formansinformation`, or the SOAP service's address."""

    transport: Literal["rest", "soap"] = "rest"
    """How LEFI is asked. Risk: no contract over SOAP is public; ours is understood by who has agreed on it alone."""
    test_aktorsid: str | None = Field(None, min_length=1)
    """Whose available kinds are listed as a test. Without it only a connection is tried."""

    @model_validator(mode="after")
    def _only_soap_is_signed(self) -> Fk:
        if self.signering is not None and self.transport == "rest":
            raise ValueError("signering goes with transport = 'soap'")
        return self


class So(SoapBastjanst):
    """Sveriges a-kassor."""

    status_ok: tuple[str, ...] = ("OK",)
    """Assumed: texts of StatusSvarandeOrganisation that mean "handled". Risk: a silent a-kassa read as "nothing"."""


class SkvDelar(Model):
    """Where each part is asked from version 11 on. How the operator calls Skatteverket is not public: all assumed."""

    foretagsinformation: str = "/foretagsinformation"
    individuppgifter: str = "/individuppgifter"
    skattekonto: str = "/skattekonto"
    skatteuppgifter: str = "/skatteuppgifter"
    beskattningsbilagor: str = "/beskattningsbilagor"


class Skv(SoapBastjanst):
    """Skatteverket. `url` is the SOAP service of version 10; `delar_url` the REST one from version 11 on."""

    forfragan: FilePath | None = None
    """The inner question of version 10, an XML template; it is not public and ours is assumed (docs/assumptions.md)."""
    delar_url: Url | None = None
    """Without it SKV answers `EJ_ANSLUTEN` from version 11 on."""
    delar: SkvDelar = SkvDelar()

    @model_validator(mode="after")
    def _delar_are_trusted(self) -> Skv:
        if self.delar_url is not None and self.delar_url.startswith("https://") and self.authority is None:
            raise ValueError("authority is missing: name the authority that issued the certificate of delar_url")
        return self


class Csn(SoapBastjanst):
    """CSN Kommunfråga; the Sambruk question's schema is not public, so what is assumed stands here."""

    schema_version: str = Field("4.0", min_length=1)
    """Assumed: the attribute SchemaVersion of the question. CSN answers -1007 to a version it does not have."""
    app_namn: str = Field("SSBTEK", min_length=1, max_length=255)
    app_version: str = Field("10", min_length=1, max_length=255)


class Bastjanster(Model):
    """The base services that are connected; one that is left out answers `EJ_ANSLUTEN`."""

    AF: Af | None = None
    CSN: Csn | None = None
    FK: Fk | None = None
    SKV: Skv | None = None
    SO: So | None = None
    TNS: SoapBastjanst | None = None
    MIV: SoapBastjanst | None = None


class Organisation(Model):
    """One entry of the register över användare: what an organisation may do. What is not listed is refused."""

    organisationsnummer: Organisationsnummer
    namn: str = Field(min_length=1)
    versioner: tuple[str, ...] = ()
    bastjanster: tuple[Kod, ...] = ()
    aktorsid: tuple[str, ...] = ()
    syften: tuple[str, ...] | Literal["alla"] = ()
    """Accepted texts in `syfte`, or "alla". Risk: with "alla" a question for any purpose is passed on."""
    svarsoversikt: bool = False
    """Whether answers carry the svarsöversikt, a SOAP header block of our own (docs/svarsoversikt.md)."""
    ws_security: WsSecurity = "av"
    """Whether its messages are signed by WS-Security; this holds for its `bitraden` too. Risk: with "tillaten" whoever
    can remove the signature can change the message."""
    signerade_svar: bool = False
    """Whether answers and faults to it, and to its `bitraden`, are signed."""
    bitraden: tuple[Organisationsnummer, ...] = ()
    """Suppliers that may ask for this organisation with their own certificate. Risk: they act in its name."""
    per_sekund: int | None = Field(None, ge=1)
    """Questions in a second. Without `[rates]` each worker counts for itself. Risk: then as many times this can pass
    as there are workers on all nodes; it is not divided between them, for callers are not spread evenly."""
    per_dygn: int | None = Field(None, ge=1)
    """Questions in 24 hours, likewise; without `[rates]` the count begins anew when a worker starts. Risk: with
    neither, one organisation can take all places."""


class Settings(Model):
    """The whole file."""

    miljo: Literal["utveckling", "test", "produktion"]
    """Told to whoever fetches the WSDL. Risk: with another word than "produktion" there, `load` asks real agencies."""
    public_url: Url
    """What the published WSDL names as the service's address, whatever Host header a caller sends."""
    listen: Listen
    utfardare: tuple[Utfardare, ...] = ()
    """Who issues callers' certificates; in production at least one, each with `crl`."""
    publish: Publish | None = None
    proxy: Proxy | None = None
    limits: Limits = Limits()
    processes: Processes = Processes()
    management: Management | None = None
    rates: Rates | None = None
    underhall: tuple[Underhall, ...] = ()
    """Announced maintenance of the whole gateway."""
    versioner: dict[str, Version] = Field(default_factory=dict)
    log: Log = Log()
    tracing: Tracing | None = None
    regler: Regler = Regler()
    audit: Audit
    signering: Signering = Signering()
    bastjanst: Bastjanster = Bastjanster()
    organisation: tuple[Organisation, ...] = ()

    @field_validator("public_url")
    @classmethod
    def _public_url_is_https(cls, url: str) -> str:
        if not url.startswith("https://"):
            raise ValueError("must start with https://: callers come in over mutual TLS only")
        return url

    @model_validator(mode="after")
    def _hangs_together(self) -> Settings:
        numbers = [organisation.organisationsnummer for organisation in self.organisation]
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        if twice:
            raise ValueError(f"organisation {', '.join(twice)} is listed twice")
        if bool(self.utfardare) == bool(self.listen.client_authorities):
            raise ValueError(
                "name the authorities of callers' certificates in [[utfardare]] or in listen.client_authorities"
            )
        if self.signering.key is None and any(organisation.signerade_svar for organisation in self.organisation):
            raise ValueError("signerade_svar: signering.certificate and signering.key are missing")
        if self.miljo == "produktion":
            plain = [kod for kod, service in self.bastjanst if service is not None and service.allow_plain_http]
            if plain:
                raise ValueError(f"bastjanst.{plain[0]}: allow_plain_http is refused in production")
            if not self.utfardare:
                raise ValueError(
                    "utfardare: at least one is required in production, instead of listen.client_authorities"
                )
            without = [issuer.namn for issuer in self.utfardare if issuer.crl is None]
            if without:
                raise ValueError(f"utfardare {without[0]}: crl is required in production")
            if self.audit.postgresql is not None and postgresql_url.in_the_clear(self.audit.postgresql):
                raise ValueError("audit.postgresql: on another machine needs sslmode=verify-full in production")
        return self


def load(path: Path) -> Settings:
    """Read and check the file. Raises `ConfigError` naming file, key and rule, one line each."""
    try:
        with path.open("rb") as stream:
            data = tomllib.load(stream)
    except OSError as error:
        raise ConfigError(path, [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError(path, ["not UTF-8: save the file as UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, [f"not TOML: {error}"]) from None
    try:
        return Settings.model_validate(data, context={"folder": path.resolve().parent})
    except ValidationError as error:
        raise ConfigError(path, [_problem(entry["loc"], entry["msg"]) for entry in error.errors()]) from None


def _problem(location: tuple[int | str, ...], message: str) -> str:
    key = ".".join(str(step) for step in location) or "file"
    return f"{key}: {message.removeprefix('Value error, ')}"
