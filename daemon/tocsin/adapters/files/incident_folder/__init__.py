"""The folder of incident files: what stands in it, and what says that something there may have changed."""
