"""An office on each of the two databases."""

from tests.support.world import world  # noqa: F401 - a fixture
