import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // All cores: vitest leaves one to itself, which of two is half.
    maxWorkers: '100%',
  },
});
