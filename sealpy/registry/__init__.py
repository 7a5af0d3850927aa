"""the private registry a cluster pulls from."""
