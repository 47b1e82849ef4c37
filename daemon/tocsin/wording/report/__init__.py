"""The story of one incident as its readers may see it: timeline, chart, review, public and internal view."""
