"""The operator's settings that rules depend on, for actions, which know no Flask."""

from webapp.config import Config

_config: Config | None = None


def use(config: Config) -> None:
    """Called once by create_app."""
    global _config
    _config = config


def policy() -> Config:
    """The settings in force."""
    if _config is None:
        raise RuntimeError("create_app sets the policy first")
    return _config
