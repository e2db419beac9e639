"""Version 10 of the combined contract (2025): FK through LEFI's REST interface, SKV as XML in a text."""

from ssbtek_gateway.contracts.contract import Contract

SSBT10 = Contract(
    version="10",
    namespace="http://schema.forsakringskassan.se/integration/ssbt/10",
    wsdl="ssbt/10/sammansatt_bastjanst.wsdl",
    xsd="ssbt/10/sammansatt_bastjanst.xsd",
    sections=("AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV"),
    skv_dokument=True,
)
