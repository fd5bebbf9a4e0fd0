"""Publishing: the pointer, the published views, the change feed."""
