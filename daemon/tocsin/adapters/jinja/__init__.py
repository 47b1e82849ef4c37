"""Templates: the words of a message, by Jinja2.

`renderer` is the port and decides which template speaks, `sources` reads a folder of them, `sandbox` bounds what one
may cost.
"""

from tocsin.adapters.jinja.renderer import JinjaRenderer, check_templates
from tocsin.adapters.jinja.sources import shipped_folder

__all__ = ["JinjaRenderer", "check_templates", "shipped_folder"]
