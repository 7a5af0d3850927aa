"""From a Kubefile to a cluster image: instructions are read, layers made, container images gathered."""
