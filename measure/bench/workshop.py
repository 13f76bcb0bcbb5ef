"""The folder that all runs share: the load server, its throwaway certificate, an APNs key, bodies."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.fakes import authority
from measure.bench import job, load_server
from measure.bench.job import Case


@dataclass(frozen=True, slots=True)
class Workshop:
    folder: Path

    @staticmethod
    def prepared(folder: Path) -> "Workshop":
        """Raises load_server.NotBuilt."""
        folder.mkdir(parents=True, exist_ok=True)
        workshop = Workshop(folder)
        load_server.build(workshop.program)
        authority.create(folder, datetime.datetime.now(datetime.UTC))
        key = ec.generate_private_key(ec.SECP256R1())
        workshop.apns_key.touch(mode=0o600)
        workshop.apns_key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        for case in Case:
            workshop.body(case).write_bytes(job.body(case, 0))
        return workshop

    @property
    def program(self) -> Path:
        return self.folder / "load_server"

    @property
    def certificate(self) -> load_server.Certificate:
        return load_server.Certificate(self.folder / "fakes.pem", self.folder / "fakes.key")

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def apns_key(self) -> Path:
        return self.folder / "apns.p8"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def body(self, case: Case) -> Path:
        return self.folder / f"body_{case}.json"
