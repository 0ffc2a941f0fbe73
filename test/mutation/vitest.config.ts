import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    runner: 'test/mutation/runner.ts',
    setupFiles: ['test/setup.ts'],
    // One test is run with many mutants; the runner has a limit for each.
    testTimeout: 0,
  },
});
