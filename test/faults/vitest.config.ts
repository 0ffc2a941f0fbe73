import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/faults/*.long.ts'], setupFiles: ['test/setup.ts'], testTimeout: 1_800_000 },
});
