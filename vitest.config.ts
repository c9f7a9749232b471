import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 120_000,
    // By default one processor is left free, which on two is half of them.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
