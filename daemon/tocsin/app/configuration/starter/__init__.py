"""What `tocsin init` writes: the first config of somebody who has none."""
