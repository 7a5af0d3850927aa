"""one file per Kubernetes flavour: kubeadm."""
