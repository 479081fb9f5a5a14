"""The HTTP API of the pipeline: it reads requests, calls ``ingest.posting``, writes answers. No rule stands here."""
