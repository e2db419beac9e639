"""SoapUI projects (version 5, one file) as fixture folders, and our questions as a SoapUI project."""

NAMESPACE = "http://eviware.com/soapui/config"
CON = f"{{{NAMESPACE}}}"
