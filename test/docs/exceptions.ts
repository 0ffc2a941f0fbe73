/** A block that this test does not run: its page, its first line, and who does, or why nobody can here. */
export interface Exception {
  page: string;
  first: string;
  reason: string;
}

const aws = 'needs an account of AWS';

export const exceptions: Exception[] = [
  { page: 'README.md', first: 'npm start', reason: 'the demo itself: .ci/fresh.sh and test/cli/demo.test.ts' },
  { page: 'README.md', first: 'npm test', reason: 'runs this very test' },
  { page: 'docs/bench.md', first: 'npm run bench', reason: 'takes ten minutes' },
  { page: 'docs/deploy-aws.md', first: 'npm run package', reason: `${aws}; test/aws packages` },
  { page: 'docs/deploy-aws.md', first: 'for name in StartVm', reason: aws },
  { page: 'docs/deploy-aws.md', first: 'aws secretsmanager', reason: aws },
  { page: 'docs/deploy-aws.md', first: 'aws lambda invoke', reason: aws },
  {
    page: 'docs/deploy-kubernetes.md',
    first: 'docker build -f infra/container/Dockerfile -t registry',
    reason: 'needs docker; .ci/image.sh builds',
  },
  {
    page: 'docs/deploy-kubernetes.md',
    first: 'for kind in wukongschedules',
    reason: 'needs helm to show why; .ci/chart.sh',
  },
  { page: 'docs/deploy-kubernetes.md', first: 'docker buildx', reason: 'needs docker and a registry' },
  { page: 'docs/events.md', first: 'aws events put-events', reason: aws },
  {
    page: 'docs/events.md',
    first: 'npx wukong aws-local',
    reason: 'needs the program of AWS; test/aws/local.test.ts sends the same',
  },
  {
    page: 'docs/monitoring.md',
    first: 'kubectl apply -k infra/monitoring',
    reason: "needs the Prometheus operator's kinds; .ci/monitoring.sh",
  },
  { page: 'docs/proof.md', first: 'KUBECONFIG=… npm run test:cluster', reason: 'takes minutes; .ci/contract.sh' },
  {
    page: 'docs/quickstart.md',
    first: 'kind create cluster',
    reason: 'needs docker, and fetches KubeVirt from the network',
  },
  { page: 'docs/releasing.md', first: 'npm run release', reason: 'changes the checkout it runs in' },
  { page: 'docs/serve.md', first: 'curl -X POST', reason: 'calls a Service, and the embedded cluster runs no pods' },
];
