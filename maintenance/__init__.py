"""What is run by hand between releases, from a checkout with all five distributions; nothing installs it."""
