import { formatPlatform, parsePlatform, type Platform } from "../../../store/oci/platform.ts";
import type { BaseRule } from "../rule.ts";

export const invalidBaseImagePlatform: BaseRule = {
  kind: "base",
  name: "InvalidBaseImagePlatform",
  description: "Base image platform does not match expected target platform",
  wholeFile: true,
  examples: () => ({
    bad: "FROM --platform=$BUILDPLATFORM alpine:3.20",
    line: 1,
    message: 'Base image alpine:3.20 was pulled with platform "linux/s390x", expected "linux/amd64" for current build',
    good: "FROM scratch",
    base: { architecture: "s390x" },
  }),
  check: ({ name, location, at, expected, actual }) => {
    if (expected.os === actual.os && expected.architecture === actual.architecture) return [];
    const [want, have] = [shown(expected), shown(actual)];
    const message = `Base image ${name} was pulled with platform ${have}, expected ${want} for current build`;
    return [{ message, location, at }];
  },
};

function shown(platform: Platform): string {
  const text = formatPlatform(platform);
  try {
    return JSON.stringify(formatPlatform(parsePlatform(text)));
  } catch {
    return JSON.stringify(text);
  }
}
