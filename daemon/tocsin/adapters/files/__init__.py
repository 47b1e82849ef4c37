"""Files and folders: opening them safely, the watched folder, the config as one snapshot, writes that appear whole."""
