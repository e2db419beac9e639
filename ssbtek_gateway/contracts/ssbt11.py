"""Version 11 of the combined contract (2026): SKV gets a question block and answers in parts."""

from ssbtek_gateway.contracts.contract import Contract

SSBT11 = Contract(
    version="11",
    namespace="http://schema.forsakringskassan.se/integration/ssbt/11",
    wsdl="ssbt/11/sammansatt_bastjanst.wsdl",
    xsd="ssbt/11/sammansatt_bastjanst.xsd",
    sections=("AF", "CSN", "FK", "SKV", "SO", "TNS", "MIV"),
)
