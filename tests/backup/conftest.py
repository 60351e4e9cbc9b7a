"""The world of both databases, and the S3 server of the archive's tests."""

from tests.archive.conftest import prefix, store  # noqa: F401 - fixtures
from tests.support.world import world  # noqa: F401 - a fixture
