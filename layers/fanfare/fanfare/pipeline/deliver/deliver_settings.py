"""The settings of deliver, from the variables that template.yaml gives it."""

from dataclasses import dataclass

from fanfare.runtime.settings import SettingsError
from fanfare.runtime.sqs_batch import Redelivery


@dataclass(frozen=True, slots=True)
class DeliverSettings(Redelivery):
    apps_table: str
    members_table: str
    subscriptions_table: str
    recipients_table: str
    installations_table: str
    ledger_table: str
    lanes_table: str
    express_queue_url: str
    bulk_queue_url: str
    purge_queue_url: str
    doubt_dead_letter_queue_url: str
    arc_size: int
    timeout_seconds: int
    lease_seconds: int
    visibility_seconds: int
    max_tries: int
    fcm_quota_per_minute: int
    fcm_endpoint: str
    apns_production_endpoint: str
    apns_sandbox_endpoint: str
    network_ca_file: str

    def __post_init__(self) -> None:
        """Raise SettingsError if a delivery could be taken again while it is being sent."""
        if not self.timeout_seconds < self.lease_seconds < self.visibility_seconds:
            raise SettingsError(
                f"deliver's timeout of {self.timeout_seconds} s has to be shorter than its lease of"
                f" {self.lease_seconds} s, and the lease shorter than the visibility of"
                f" {self.visibility_seconds} s: DeliverTimeout, DeliverLease, DeliveryVisibility"
            )

    @property
    def delivery_queue_urls(self) -> tuple[str, str]:
        return self.express_queue_url, self.bulk_queue_url
