"""The package format: archive, manifest, certificate, signature, encryption."""
