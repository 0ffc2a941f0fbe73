// `npm run test:packaged`: the npm package, installed, and the command however it is started. It needs the registry.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/packaged/*.packaged.ts'],
    globalSetup: 'test/packaged/installing.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
