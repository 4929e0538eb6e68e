"""Finding out what stands in the way of a license on this machine."""
