"""The record of who asked about whom: durable before any agency is asked, and before an answer leaves. No payload."""
