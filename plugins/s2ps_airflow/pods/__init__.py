"""Clusters as pods of Kubernetes: settings, pod, waiting, judgement; imported only when S2PS_EXECUTION=pod."""
