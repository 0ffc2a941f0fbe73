// `npm run test:aws`: what is packaged for AWS, held against real things. .ci/aws.sh says what it needs besides Node.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/aws/**/*.packaged.ts'],
    globalSetup: 'test/aws/packaging.ts',
    testTimeout: 40_000,
    hookTimeout: 40_000,
    fileParallelism: false,
  },
});
