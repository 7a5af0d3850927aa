"""Read what kubeadm says of its certificates."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime


def read_dates(text: str) -> Iterator[tuple[str, datetime]]:
    """Yield each certificate's name and the moment at which it runs out."""
    for certificate in json.loads(text or "{}").get("certificates", ()):
        yield certificate["name"], datetime.fromisoformat(certificate["expirationDate"])


def days_left(date: datetime) -> int:
    """Count whole days from now."""
    return (date - datetime.now(UTC)).days
