"""Turning latents into operations: the stream, the runtime, proof, and the sampler."""
