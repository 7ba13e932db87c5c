"""Signing access tokens: keys on disk, the signer, the public key set."""
