"""What an operator is told when a process starts, though nothing of it keeps it from starting."""

import structlog

from shared.settings import ServiceSettings

log = structlog.get_logger()


def log_warnings(settings: ServiceSettings) -> None:
    """Log what production would refuse, a line for each fault."""
    for problem in settings.weaknesses():
        log.warning("setting.refused_in_production", problem=problem)
