"""run phases: steps, executor, fan-out; knows nothing of Kubernetes."""
