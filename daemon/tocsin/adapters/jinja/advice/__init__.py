"""What may not have been meant in a folder of templates, and which names each kind of message has."""
