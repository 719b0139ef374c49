"""Real processes under fire: the command against a simulator in another process."""
