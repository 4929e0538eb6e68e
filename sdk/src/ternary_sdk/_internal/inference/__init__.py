"""Turning latents into operations: the runtime, the sampler, and proof of a certificate."""
