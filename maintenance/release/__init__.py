"""What a release needs: checks that print a line each, and publish nothing."""
