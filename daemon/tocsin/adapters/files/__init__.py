"""Files and folders: the watched folder, the config as one snapshot, writes that appear whole."""
