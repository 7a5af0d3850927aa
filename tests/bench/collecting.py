"""How long it takes to find the container images of 1,000 manifests, each as long as people write them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sealpy.image.finding import find
from sealpy.image.metadata import Metadata
from sealpy.image.tarball import Member, Source

__all__ = ["collecting"]

MANIFESTS = 1_000
_RESOURCES = """apiVersion: v1
kind: ConfigMap
metadata:
  name: app-{n}
  labels: {{app.kubernetes.io/name: app-{n}, app.kubernetes.io/part-of: bench}}
data:
  app.yaml: |
    server:
      listen: 0.0.0.0:8080
      workers: 4
    database:
      url: postgres://db.example.com:5432/app-{n}
---
apiVersion: v1
kind: Service
metadata:
  name: app-{n}
  labels: {{app.kubernetes.io/name: app-{n}, app.kubernetes.io/part-of: bench}}
spec:
  selector: {{app: app-{n}}}
  ports:
  - name: http
    port: 80
    targetPort: http
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}
  labels: {{app.kubernetes.io/name: app-{n}, app.kubernetes.io/part-of: bench}}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: app-{n}
  template:
    metadata:
      labels:
        app: app-{n}
    spec:
      serviceAccountName: app-{n}
      securityContext:
        runAsNonRoot: true
      initContainers:
      - name: migrate
        image: "registry.example.com/bench/migrate-{n}:1.0"
        args: [--to, latest, --timeout=60s]
      containers:
      - name: app
        image: registry.example.com/bench/app-{n}:1.0
        imagePullPolicy: IfNotPresent
        args:
        - --config=/etc/app/app.yaml
        - --log-level=info
        env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: SIDECAR_IMAGE
          value: registry.example.com/bench/sidecar:1.0
        ports:
        - name: http
          containerPort: 8080
          protocol: TCP
        livenessProbe:
          httpGet: {{path: /healthz, port: http}}
          initialDelaySeconds: 10
        readinessProbe:
          httpGet: {{path: /readyz, port: http}}
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
          limits: {{memory: 256Mi}}
        volumeMounts:
        - name: config
          mountPath: /etc/app
      volumes:
      - name: config
        configMap:
          name: app-{n}
"""


def collecting(runs: int) -> Iterator[float]:
    """Search 1,000 manifests several times, and give the seconds of each search."""
    with tempfile.TemporaryDirectory() as directory:
        files = dict(_written(Path(directory)))
        for _ in range(runs):
            begun = time.perf_counter()
            found = find(files, metadata=Metadata(), context=Path(directory))
            yield time.perf_counter() - begun
            if len(found.mentions) != 2 * MANIFESTS or len(found.warnings()) != MANIFESTS:
                raise RuntimeError(f"{len(found.mentions)} images found and {len(found.warnings())} warnings given")


def _written(directory: Path) -> Iterator[tuple[str, tuple[Member, Source]]]:
    for number in range(MANIFESTS):
        path = directory / f"{number}.yaml"
        text = _RESOURCES.format(n=number)
        path.write_text(text, "utf-8")
        yield f"manifests/{path.name}", (Member(f"manifests/{path.name}", size=len(text)), path)
