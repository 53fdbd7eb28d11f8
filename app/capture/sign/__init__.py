"""Signing: first what exactly is signed, then the password, then the signature with the digest of every answer."""
