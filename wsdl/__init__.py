"""WSDL files: the combined contract that we publish, and what we speak to base services."""
