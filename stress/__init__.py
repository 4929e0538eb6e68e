"""Long sweeps: millions of hostile inputs. ``make stress`` runs them; the tests run a short part of each."""
