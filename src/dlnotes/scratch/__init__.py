"""From-scratch versions of what ``torch`` offers, each tested against it."""
