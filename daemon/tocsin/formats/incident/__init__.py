"""The incident file: read, edited with its comments kept, named, and described to editors."""
