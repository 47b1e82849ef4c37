"""Which files of the config folder hold what: the settings stand in one, the policy in all others but the tests."""

SETTINGS = "tocsin.yaml"
MISNAMED = "tocsin.yml"
TESTS = "tests/"


def is_fragment(path: str) -> bool:
    """Whether a file of the config folder, by its path there (with `/`), is one of those that declare the policy."""
    return path.endswith((".yaml", ".yml")) and path not in {SETTINGS, MISNAMED} and not path.startswith(TESTS)
