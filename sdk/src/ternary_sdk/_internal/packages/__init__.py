"""The package format: archive, manifest, signature, encryption, attachments."""
