import { defineConfig } from "vitest/config";

const project = (name: string, timeout: number, serial: boolean): object => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: "forks",
    testTimeout: timeout,
    hookTimeout: timeout,
    fileParallelism: !serial,
    // Where the machine cannot forward, a warning would be in every output; test/e2e/network has hosts of its own.
    ...(serial ? { env: { TSBUILD_NETWORK: "host" } } : {}),
  },
});

/** unit: no root, no network, fast. The others need what their folder says, and run one file at a time. */
const config: ReturnType<typeof defineConfig> = defineConfig({
  test: {
    projects: [
      project("unit", 20_000, false),
      project("contract", 60_000, true),
      project("conformance", 120_000, true),
      project("e2e", 300_000, true),
      project("fault", 120_000, true),
      project("fuzz", 120_000, true),
      // Only by name: it needs Debian's docker, podman, skopeo and umoci.
      ...(process.env["TSBUILD_PEERS"] === "1" ? [project("peers", 120_000, true)] : []),
    ],
  },
});
export default config;
