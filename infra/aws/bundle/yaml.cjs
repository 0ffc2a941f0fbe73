// js-yaml, set up when a kubeconfig is first read: a function in EKS, or in the cluster, reads none.
exports.load = (text) => require('js-yaml').load(text);
