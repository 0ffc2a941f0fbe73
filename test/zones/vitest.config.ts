import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['test/zones/*.long.ts'], testTimeout: 300_000 } });
