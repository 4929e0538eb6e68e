"""What the public names stand on. Nothing here is promised to anybody outside this repository."""
