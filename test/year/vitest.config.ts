import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/year/*.long.ts'], setupFiles: ['test/setup.ts'], testTimeout: 3_600_000 },
});
