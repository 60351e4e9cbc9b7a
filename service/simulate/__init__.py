"""Stand-ins for services that nobody can reach from a desk. Never part of an office's installation."""
