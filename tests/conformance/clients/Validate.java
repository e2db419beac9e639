// Compiles each schema among the arguments by the JDK's Xerces with full checking (unique particle attribution, valid
// restrictions), and validates the other files against the first of them.
import java.io.File;
import javax.xml.XMLConstants;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;
import org.xml.sax.ErrorHandler;
import org.xml.sax.SAXParseException;

public class Validate {
  static class Strict implements ErrorHandler {
    public void warning(SAXParseException problem) throws SAXParseException {
      throw problem;
    }

    public void error(SAXParseException problem) throws SAXParseException {
      throw problem;
    }

    public void fatalError(SAXParseException problem) throws SAXParseException {
      throw problem;
    }
  }

  public static void main(String[] files) throws Exception {
    SchemaFactory factory = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI);
    factory.setFeature("http://apache.org/xml/features/validation/schema-full-checking", true);
    factory.setErrorHandler(new Strict());
    Schema first = null;
    for (String file : files) {
      if (file.endsWith(".xsd")) {
        Schema schema = factory.newSchema(new File(file));
        first = first == null ? schema : first;
      } else {
        first.newValidator().validate(new StreamSource(new File(file)));
      }
      System.out.println(file);
    }
  }
}
