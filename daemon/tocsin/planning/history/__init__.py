"""The fold: the facts of one incident become its History."""
