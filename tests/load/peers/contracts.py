"""Writes, for the peers, a small WSDL a base service and an envelope schema around the project's own schemas.

contracts.py PROJECT FOLDER     prints shell assignments: WSDL=… SCHEMA=…
"""

from __future__ import annotations

import sys
from pathlib import Path
from string import Template

from lxml import etree

XS = "http://www.w3.org/2001/XMLSchema"
SSBT = "http://schema.forsakringskassan.se/integration/ssbt/10"
# What each is asked and answers with, by the name of its path: namespace, element, element.
SERVICES = {
    "af": ("http://api.arbetsformedlingen.se/arbetssokande/ersattningsstod/v2", "FragaMeddelande", "SvarMeddelande"),
    "so": (
        "http://INT014.UBPService.Schemas",
        "GetUnemploymentBenefitPaymentRequest",
        "GetUnemploymentBenefitPaymentResponse",
    ),
    "skv": (
        "http://beskattningws.ws.service.bs.zg.rsv.se/",
        "BeskattningsuppgifterRequest",
        "BeskattningsuppgifterResponse",
    ),
    "tns": (
        "http://schema.transportstyrelsen.se/ssbtek/hamtauppgifterresponder/1",
        "HamtaUppgifter",
        "HamtaUppgifterResponse",
    ),
    "miv": ("http://schema.migrationsverket.se/ssbtek/1/", "findByPersonnummer", "findByPersonnummerResponse"),
    "csn": ("http://schema.csn.se/v4.0/kommunfraga", "SBNUppgEkBistandBegar", "CSNSvar"),
}
# The peers pass CSN on as XML, so that its schema need only name the two elements.
CSN = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://schema.csn.se/v4.0/kommunfraga"
    elementFormDefault="qualified">
  <xs:element name="SBNUppgEkBistandBegar"><xs:complexType><xs:sequence>
    <xs:any namespace="##any" processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="CSNSvar"><xs:complexType><xs:sequence>
    <xs:any namespace="##any" processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence><xs:anyAttribute processContents="skip"/></xs:complexType></xs:element>
</xs:schema>
"""
ENVELOPE = Template("""\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://schemas.xmlsoap.org/soap/envelope/"
    elementFormDefault="qualified">
  <xs:import namespace="$namespace" schemaLocation="$schema"/>
  <xs:element name="Envelope"><xs:complexType><xs:sequence>
    <xs:element name="Header" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:any namespace="##any" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence><xs:anyAttribute processContents="lax"/></xs:complexType></xs:element>
    <xs:element name="Body"><xs:complexType><xs:sequence>
      <xs:any namespace="##any" processContents="strict"/>
    </xs:sequence><xs:anyAttribute processContents="lax"/></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>
""")
WSDL = Template("""\
<definitions name="$name" targetNamespace="$namespace" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="$namespace"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types><xsd:schema><xsd:import namespace="$namespace" schemaLocation="$schema"/></xsd:schema></types>
  <message name="q"><part name="q" element="t:$asked"/></message>
  <message name="a"><part name="a" element="t:$answered"/></message>
  <portType name="pt"><operation name="hamta"><input message="t:q"/><output message="t:a"/></operation></portType>
  <binding name="b" type="t:pt">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="hamta"><soap:operation soapAction="" style="document"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <service name="s"><port name="p" binding="t:b"><soap:address location="http://127.0.0.1/$name"/></port></service>
</definitions>
""")


def main(project: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    schemas: dict[tuple[str | None, str | None], Path] = {}
    for path in sorted((project / "xsd").rglob("*.xsd")):
        root = etree.parse(path).getroot()
        for element in root.findall(f"{{{XS}}}element"):
            schemas.setdefault((root.get("targetNamespace"), element.get("name")), path)
    schema = schemas[SSBT, "hamtaBastjanstInformation"]
    schemas[SERVICES["csn"][:2]] = folder / "csn-min.xsd"
    (folder / "csn-min.xsd").write_text(CSN, encoding="utf-8")
    (folder / "envelope.xsd").write_text(ENVELOPE.substitute(namespace=SSBT, schema=schema), encoding="utf-8")
    for name, (namespace, asked, answered) in SERVICES.items():
        values = {"name": name, "namespace": namespace, "asked": asked, "answered": answered}
        written = WSDL.substitute(values, schema=schemas[namespace, asked])
        (folder / f"{name}.wsdl").write_text(written, encoding="utf-8")
    (wsdl,) = (
        path
        for path in (project / "wsdl").rglob("*.wsdl")
        if etree.parse(path).getroot().get("targetNamespace") == SSBT
    )
    sys.stdout.write(f"WSDL='{wsdl}'\nSCHEMA='{schema}'\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
