"""JSON as XML and back, without loss, by the JSON Schemas of ours that say what a document holds.

What LEFI Online says in JSON is an element in the typed contract, and the other way round where Försäkringskassan is
asked over SOAP. The XML Schemas beside the JSON Schemas are made from them (tests/contract/typed_xsd.py).
"""

from ssbtek_gateway.json_xml.numbers import dumps
from ssbtek_gateway.json_xml.vocabulary import Vocabulary

LEFI = Vocabulary("services/fk/lefi-9.schema.json", "urn:ssbtek-gateway:lefi-online:9", "lefi")
SKV_DELAR = Vocabulary("services/skv/delar.schema.json", "urn:ssbtek-gateway:beskattningsuppgifter:1", "skv")

__all__ = ["LEFI", "SKV_DELAR", "Vocabulary", "dumps"]
