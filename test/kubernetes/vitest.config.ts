import { defineConfig } from 'vitest/config';

// What needs the overlays rendered: .ci/kubernetes.sh does that, and says in RENDERED where they are.
export default defineConfig({
  test: { include: ['test/kubernetes/*.rendered.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
