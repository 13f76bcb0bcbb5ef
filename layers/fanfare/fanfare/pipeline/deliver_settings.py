"""The settings of deliver, from the variables that template.yaml gives it."""

from dataclasses import dataclass

from fanfare.runtime.batch import Redelivery


@dataclass(frozen=True, slots=True)
class Settings(Redelivery):
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
    lease_seconds: int
    max_tries: int
    fcm_quota_per_minute: int
    fcm_endpoint: str
    apns_production_endpoint: str
    apns_sandbox_endpoint: str
    network_ca_file: str

    @property
    def delivery_queue_urls(self) -> tuple[str, str]:
        return self.express_queue_url, self.bulk_queue_url
