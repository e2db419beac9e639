// Signs and verifies messages by WS-Security with two stacks: WSS4J over Santuario, and the JDK's own javax.xml.crypto.
// Each line on standard input is one task, tab between its parts:
//   sign STACK KEYS IN OUT      KEYS is a PKCS #12 store with one entry, "signer"
//   verify STACK TRUST IN       TRUST is one with the authorities to believe
// and gets one line of answer: what is signed, by local name in the order of the references, or FAILED and why.
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.CanonicalizationMethod;
import javax.xml.crypto.dsig.DigestMethod;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.SignedInfo;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.ws.security.WSConstants;
import org.apache.ws.security.WSDataRef;
import org.apache.ws.security.WSEncryptionPart;
import org.apache.ws.security.WSSConfig;
import org.apache.ws.security.WSSecurityEngine;
import org.apache.ws.security.WSSecurityEngineResult;
import org.apache.ws.security.components.crypto.Merlin;
import org.apache.ws.security.message.WSSecHeader;
import org.apache.ws.security.message.WSSecSignature;
import org.apache.ws.security.message.WSSecTimestamp;
import org.apache.ws.security.util.WSSecurityUtil;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

public class Signing {
  static final String OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-";
  static final String WSSE = OASIS + "wssecurity-secext-1.0.xsd";
  static final String WSU = OASIS + "wssecurity-utility-1.0.xsd";
  static final String X509V3 = OASIS + "x509-token-profile-1.0#X509v3";
  static final String SOAP = "http://schemas.xmlsoap.org/soap/envelope/";
  static final String MORE = "http://www.w3.org/2001/04/xmldsig-more#";
  static final char[] PASSWORD = "changeit".toCharArray();

  public static void main(String[] arguments) throws Exception {
    WSSConfig.init();
    BufferedReader tasks = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = tasks.readLine(); line != null; line = tasks.readLine()) {
      String[] task = line.split("\t");
      String told;
      try {
        Document message = parse(new File(task[3]));
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(new FileInputStream(task[2]), PASSWORD);
        boolean jdk = task[1].equals("jdk");
        if (task[0].equals("sign")) {
          Document signed = jdk ? signByJdk(message, keys) : signByWss4j(message, keys);
          TransformerFactory.newInstance().newTransformer()
              .transform(new DOMSource(signed), new StreamResult(new File(task[4])));
          told = "signed";
        } else {
          told = String.join(" ", jdk ? verifyByJdk(message) : verifyByWss4j(message, keys));
        }
      } catch (Exception refused) {
        told = "FAILED " + refused;
      }
      System.out.println(told.replace('\n', ' '));
    }
  }

  static Document parse(File file) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    return factory.newDocumentBuilder().parse(file);
  }

  static String algorithm(PublicKey key) {
    return MORE + (key.getAlgorithm().equals("RSA") ? "rsa-sha256" : "ecdsa-sha256");
  }

  static Document signByWss4j(Document message, KeyStore keys) throws Exception {
    Merlin crypto = new Merlin();
    crypto.setKeyStore(keys);
    WSSecHeader header = new WSSecHeader();
    header.insertSecurityHeader(message);
    new WSSecTimestamp().build(message, header);
    WSSecSignature signature = new WSSecSignature();
    signature.setUserInfo("signer", new String(PASSWORD));
    signature.setKeyIdentifierType(WSConstants.BST_DIRECT_REFERENCE);
    signature.setSignatureAlgorithm(algorithm(keys.getCertificate("signer").getPublicKey()));
    signature.setDigestAlgo(DigestMethod.SHA256);
    signature.setParts(List.of(
        new WSEncryptionPart("Timestamp", WSU, "Element"), new WSEncryptionPart("Body", SOAP, "Element")));
    return signature.build(message, crypto, header);
  }

  static List<String> verifyByWss4j(Document message, KeyStore trust) throws Exception {
    Merlin crypto = new Merlin();
    crypto.setTrustStore(trust);
    List<WSSecurityEngineResult> results = new WSSecurityEngine().processSecurityHeader(message, null, null, crypto);
    WSSecurityEngineResult signed = WSSecurityUtil.fetchActionResult(results, WSConstants.SIGN);
    List<String> names = new ArrayList<>();
    for (Object part : (List<?>) signed.get(WSSecurityEngineResult.TAG_DATA_REF_URIS)) {
      names.add(((WSDataRef) part).getProtectedElement().getLocalName());
    }
    return names;
  }

  static Document signByJdk(Document message, KeyStore keys) throws Exception {
    X509Certificate certificate = (X509Certificate) keys.getCertificate("signer");
    Element envelope = message.getDocumentElement();
    Element header = (Element) message.getElementsByTagNameNS(SOAP, "Header").item(0);
    if (header == null) {
      header = message.createElementNS(SOAP, "e:Header");
      declare(header, "e", SOAP);
      envelope.insertBefore(header, envelope.getFirstChild());
    }
    Element security = child(header, WSSE, "wsse:Security", null);
    declare(security, "wsse", WSSE);
    declare(security, "wsu", WSU);
    Element timestamp = child(security, WSU, "wsu:Timestamp", "time");
    Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    child(timestamp, WSU, "wsu:Created", null).setTextContent(now.toString());
    child(timestamp, WSU, "wsu:Expires", null).setTextContent(now.plusSeconds(300).toString());
    Element token = child(security, WSSE, "wsse:BinarySecurityToken", "token");
    token.setAttribute("ValueType", X509V3);
    token.setAttribute("EncodingType", OASIS + "soap-message-security-1.0#Base64Binary");
    token.setTextContent(Base64.getEncoder().encodeToString(certificate.getEncoded()));
    Element body = (Element) message.getElementsByTagNameNS(SOAP, "Body").item(0);
    declare(body, "wsu", WSU);
    body.setAttributeNS(WSU, "wsu:Id", "body");

    XMLSignatureFactory factory = XMLSignatureFactory.getInstance("DOM");
    List<Reference> references = List.of(reference(factory, "#body"), reference(factory, "#time"));
    SignedInfo info = factory.newSignedInfo(
        factory.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null),
        factory.newSignatureMethod(algorithm(certificate.getPublicKey()), null), references);
    Element pointer = message.createElementNS(WSSE, "wsse:SecurityTokenReference");
    declare(pointer, "wsse", WSSE);
    Element target = child(pointer, WSSE, "wsse:Reference", null);
    target.setAttribute("URI", "#token");
    target.setAttribute("ValueType", X509V3);
    KeyInfo keyInfo = factory.getKeyInfoFactory().newKeyInfo(List.of(new DOMStructure(pointer)));
    DOMSignContext context = new DOMSignContext((PrivateKey) keys.getKey("signer", PASSWORD), security);
    context.setIdAttributeNS(body, WSU, "Id");
    context.setIdAttributeNS(timestamp, WSU, "Id");
    factory.newXMLSignature(info, keyInfo).sign(context);
    return message;
  }

  // Canonicalisation sees declarations as attributes; those that are only implied it would leave out of the digest.
  static void declare(Element element, String prefix, String namespace) {
    element.setAttributeNS("http://www.w3.org/2000/xmlns/", "xmlns:" + prefix, namespace);
  }

  static Reference reference(XMLSignatureFactory factory, String uri) throws Exception {
    return factory.newReference(uri, factory.newDigestMethod(DigestMethod.SHA256, null),
        List.of(factory.newTransform(CanonicalizationMethod.EXCLUSIVE, (TransformParameterSpec) null)), null, null);
  }

  static Element child(Element parent, String namespace, String name, String id) {
    Element made = parent.getOwnerDocument().createElementNS(namespace, name);
    if (id != null) {
      made.setAttributeNS(WSU, "wsu:Id", id);
    }
    parent.appendChild(made);
    return made;
  }

  static List<String> verifyByJdk(Document message) throws Exception {
    Element token = (Element) message.getElementsByTagNameNS(WSSE, "BinarySecurityToken").item(0);
    byte[] der = Base64.getMimeDecoder().decode(token.getTextContent());
    PublicKey key = CertificateFactory.getInstance("X.509")
        .generateCertificate(new ByteArrayInputStream(der)).getPublicKey();
    DOMValidateContext context = new DOMValidateContext(
        KeySelector.singletonKeySelector(key), message.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature").item(0));
    NodeList all = message.getElementsByTagName("*");
    for (int index = 0; index < all.getLength(); index++) {
      if (((Element) all.item(index)).hasAttributeNS(WSU, "Id")) {
        ((Element) all.item(index)).setIdAttributeNS(WSU, "Id", true);
      }
    }
    XMLSignature signature = XMLSignatureFactory.getInstance("DOM").unmarshalXMLSignature(context);
    if (!signature.validate(context)) {
      throw new SecurityException("does not verify");
    }
    List<String> names = new ArrayList<>();
    for (Object reference : signature.getSignedInfo().getReferences()) {
      names.add(message.getElementById(((Reference) reference).getURI().substring(1)).getLocalName());
    }
    return names;
  }
}
