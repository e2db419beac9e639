"""Where callers come in: TLS and HTTP, the checks on a message as a whole, SOAP, and who is asking."""
