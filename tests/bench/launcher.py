"""auth_service as it is, but for one thing: every code is the same, so that the bench knows it."""

from auth_service.app import create_app
from auth_service.settings import AuthSettings
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.logs import configure_logs
from shared.server import run
from shared.settings import load_settings

CODE = "123456"
CODES = 10**6


class KnownCodes(SystemEntropy):
    def below(self, bound: int) -> int:
        drawn = super().below(bound)  # drawn all the same: it is part of the cost
        return int(CODE) if bound == CODES else drawn


def main() -> None:
    settings = load_settings(AuthSettings)
    configure_logs(settings.log_level, settings.log_format)
    run(create_app(settings, clock=SystemClock(), entropy=KnownCodes()), settings)


if __name__ == "__main__":
    main()
