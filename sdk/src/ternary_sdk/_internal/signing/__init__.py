"""Keys and signed or sealed envelopes: JWS, JWE, DSSE."""
