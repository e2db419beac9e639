"""WS-Security on messages: SOAP Message Security 1.1 with the X.509 Token Profile 1.1 (docs/ws-security.md).

What must be signed is chosen by position, never by Id; what a signature vouches for is what is read, and nothing else.
"""
