"""Objects at a URL that many machines share: read whole, written whole, and never two different ones by a race."""
