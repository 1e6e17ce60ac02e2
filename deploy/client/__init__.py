"""The service called from Python, with types: `Client`, and `AsyncClient` for asyncio."""

from deploy.client.async_client import AsyncClient
from deploy.client.calls import RefusedByMurmur
from deploy.client.client import Client

__all__ = ["AsyncClient", "Client", "RefusedByMurmur"]
