"""Failures of a credential, after which a batch cannot be sent at all.

CredentialError
├── CredentialMissing       its parameter does not exist or may not be read
├── CredentialMalformed     its parameter holds no credential of this network
├── CredentialRefused       Google refuses it: nothing is sent until an operator acts
└── CredentialUnavailable   Google could not be asked: try again later

Each carries the `outcome` for all devices of the batch. No message contains a part of a secret.
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
