"""What is allowed, here and now: licenses, clock, machine, meter."""
