module monitoring

go 1.22.0

require k8s.io/kube-state-metrics/v2 v2.13.0
