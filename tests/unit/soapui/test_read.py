from __future__ import annotations

import pytest

from ssbtek_gateway.soapui.read import ProjectError, Request, requests

# As SoapUI 5 writes it, shortened: what we do not read stands here too.
PROJECT = """<?xml version="1.0" encoding="UTF-8"?>
<con:soapui-project id="4c0a" activeEnvironment="Default" name="SSBTEK" resourceRoot="" soapui-version="5.7.2"
    abortOnError="false" runType="SEQUENTIAL" xmlns:con="http://eviware.com/soapui/config">
  <con:settings/>
  <con:interface xsi:type="con:WsdlInterface" id="1" wsaVersion="NONE" name="SSBTEK 10" type="wsdl"
      bindingName="{urn:x}B" soapVersion="1_1" anonymous="optional" definition="file:/C:/ssbtek.wsdl"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <con:settings/>
    <con:definitionCache type="TEXT" rootPart="file:/C:/ssbtek.wsdl">
      <con:part><con:url>file:/C:/ssbtek.wsdl</con:url><con:content><![CDATA[<wsdl/>]]></con:content></con:part>
    </con:definitionCache>
    <con:endpoints><con:endpoint>https://old.example/ssbt/10</con:endpoint></con:endpoints>
    <con:operation id="2" isOneWay="false" action="" name="hamtaBastjanstInformation" type="Request-Response">
      <con:settings/>
      <con:call id="3" name="Request 1">
        <con:settings>
          <con:setting id="com.eviware.soapui.impl.wsdl.WsdlRequest@request-headers">&lt;xml-fragment/></con:setting>
        </con:settings>
        <con:encoding>UTF-8</con:encoding>
        <con:endpoint>${#Project#host}/ssbt/10</con:endpoint>
        <con:request><![CDATA[<?xml version="1.0" encoding="UTF-16"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">${#Project#person}</soapenv:Envelope>]]></con:request>
        <con:credentials><con:authType>No Authorization</con:authType></con:credentials>
        <con:wsaConfig mustUnderstand="NONE" version="200508"/>
      </con:call>
      <con:call id="4" name="Groovy"><con:endpoint>https://x</con:endpoint>
        <con:request>${=new Date()} ${#Project#nowhere} ${#Project#round}</con:request></con:call>
      <con:call id="5" name="Empty"/>
    </con:operation>
  </con:interface>
  <con:interface xsi:type="con:RestService" name="REST" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <con:operation name="x"><con:call name="y"><con:request>{}</con:request></con:call></con:operation>
  </con:interface>
  <con:testSuite id="6" name="Suite">
    <con:testCase id="7" name="Case">
      <con:testStep type="groovy" name="Script"><con:config><script>x</script></con:config></con:testStep>
      <con:testStep type="request" name="Step">
        <con:config xsi:type="con:RequestStep" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
          <con:interface>SSBTEK 10</con:interface><con:operation>hamtaBastjanstInformation</con:operation>
          <con:request name="Step">
            <con:endpoint>https://test.example/ssbt/10</con:endpoint>
            <con:request>&lt;a>${#TestCase#x} ${#TestSuite#x} ${#Project#x}&lt;/a></con:request>
            <con:assertion type="SOAP Response"/>
          </con:request>
        </con:config>
      </con:testStep>
      <con:properties><con:property><con:name>x</con:name><con:value>case</con:value></con:property></con:properties>
    </con:testCase>
    <con:properties>
      <con:property><con:name>x</con:name><con:value>suite ${#Project#x}</con:value></con:property>
    </con:properties>
  </con:testSuite>
  <con:properties>
    <con:property><con:name>host</con:name><con:value>https://test.example</con:value></con:property>
    <con:property><con:name>person</con:name><con:value>191212121212</con:value></con:property>
    <con:property><con:name>x</con:name><con:value>project</con:value></con:property>
    <con:property><con:name>round</con:name><con:value>${#Project#round}</con:value></con:property>
  </con:properties>
  <con:wssContainer/>
</con:soapui-project>
"""


def test_requests_of_interfaces_and_suites_are_read_with_their_properties() -> None:
    operation = ("SSBTEK 10", "hamtaBastjanstInformation")
    first, groovy, empty, step = requests(PROJECT.encode())
    assert first == Request(
        (*operation, "Request 1"),
        "https://test.example/ssbt/10",
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">191212121212</soapenv:Envelope>',
    )
    assert (groovy.place[-1], groovy.left) == ("Groovy", ("${=new Date()}", "${#Project#nowhere}", "${#Project#round}"))
    assert empty == Request((*operation, "Empty"), "", "")
    assert step == Request(
        ("Suite", "Case", "Step"), "https://test.example/ssbt/10", "<a>case suite project project</a>"
    )
    assert "1912" not in repr(first)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("<con:settings/>", "<con:settings>", "not well-formed"),
        ("<con:soapui-project", "<!DOCTYPE a><con:soapui-project", "DOCTYPE"),
        ("<con:soapui-project", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><con:soapui-project', "DOCTYPE"),
        ("soapui/config", "soapui/other", "is no SoapUI project"),
        ("<con:wssContainer/>", "<con:encryptedContent>x</con:encryptedContent>", "is encrypted"),
    ],
)
def test_what_is_no_project_is_refused(old: str, new: str, rule: str) -> None:
    with pytest.raises(ProjectError, match=rule):
        requests(PROJECT.replace(old, new, 1).encode())
