import { defineConfig } from 'vitest/config';

/** The whole system in containers; see docs/containers.md for what it needs. Apart from `npm test`, which needs npm alone. */
export default defineConfig({
  test: {
    name: 'containers',
    include: ['tests/containers/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
