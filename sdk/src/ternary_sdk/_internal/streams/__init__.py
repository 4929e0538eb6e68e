"""Random latents that are a function of seed, domain and row alone."""
