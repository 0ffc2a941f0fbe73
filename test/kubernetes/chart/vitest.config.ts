import { defineConfig } from 'vitest/config';

// What needs helm and kustomize: .ci/chart.sh says in RENDERED where their output is, and in HELM where helm is.
export default defineConfig({
  test: { include: ['test/kubernetes/chart/*.rendered.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
