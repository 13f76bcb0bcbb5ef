"""Why a batch cannot be sent at all: the credential.

CredentialError
├── CredentialMissing       the parameter that should hold it is not there, or may not be read
├── CredentialMalformed     what is stored is no credential of this network
├── CredentialRefused       Google does not take it: nothing is sent until somebody looks
└── CredentialUnavailable   Google could not be asked: later

Each carries the `outcome` that holds for every device of the batch. No message contains a part of a secret.
"""

from fanfare.domain.outcome.consequence import Outcome, refused


class CredentialError(Exception):
    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message)
        self.outcome = outcome


class CredentialMissing(CredentialError):
    def __init__(self, message: str) -> None:
        super().__init__(message, refused("credential_missing"))


class CredentialMalformed(CredentialError):
    def __init__(self, message: str) -> None:
        super().__init__(message, refused("credential_malformed"))


class CredentialRefused(CredentialError):
    pass


class CredentialUnavailable(CredentialError):
    @property
    def retry_after_s(self) -> int:
        return self.outcome.retry_after_s or 0
