"""Git, by its own command: reading revisions, following the upstream."""
