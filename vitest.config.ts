import { defineConfig } from "vitest/config";

// Two projects: `unit` runs in this process and needs nothing built; `program` runs the packed and
// installed program (test/program/setup.ts builds and packs it once).
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [
            "test/program/**",
            "test/attacks/**",
            "test/load/**",
            "test/faults/**",
            "test/examples/**",
            "**/node_modules/**",
          ],
          testTimeout: 300_000,
          // They wait for git more than they compute.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "program",
          include: [
            "test/program/**/*.test.ts",
            "test/attacks/**/*.test.ts",
            "test/load/**/*.test.ts",
            "test/faults/**/*.test.ts",
            "test/examples/**/*.test.ts",
          ],
          globalSetup: ["test/program/setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
