"""What more than one room of the pipeline needs: a client of the API, and a server that may be killed."""

from collections.abc import Iterator

import pytest

from tests.support.api.client import ApiClient, trusted
from tests.support.postgres.cluster import Cluster, migrated_cluster


@pytest.fixture
def api() -> ApiClient:
    """A client that may do everything; the test says by a mark what database it has."""
    return trusted()


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A server of the test's own, with all migrations."""
    with migrated_cluster() as running:
        yield running
