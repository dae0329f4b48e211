import { parseBytes } from "../../../builder/base/byte-size.ts";
import { parseDuration } from "../../../builder/base/duration.ts";
import { compileMode, parseFileMode } from "../../../builder/base/patterns/file-mode.ts";
import { parseGitUrl } from "../../../builder/base/git-url.ts";
import { redactUrls } from "../../../builder/base/redact-url.ts";
import { splitUrl } from "../../../builder/base/split-url.ts";
import { parseUlimit } from "../../../builder/base/ulimit.ts";
import { formatPlatform, matchPlatform, parsePlatform } from "../../../store/oci/platform.ts";
import { familiarName, formatReference, parseReference } from "../../../store/oci/reference.ts";
import { outcome, same } from "../rig/check.ts";
import type { FuzzTarget } from "../rig/target.ts";

const hex = "0123456789abcdef".repeat(4);

/** The grammar of distribution's reference package, as it is printed there. */
const label = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const host = `(?:${label}(?:\\.${label})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const part = "[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*";
const grammar = new RegExp(
  `^(?:${host}/)?${part}(?:/${part})*(?::[\\w][\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64}|@sha512:[0-9a-f]{128})?$`,
);

export const references: FuzzTarget = {
  name: "references",
  sources: ["store/oci/reference.ts", "store/oci/digest.ts"],
  tokens: [
    "docker.io",
    "index.docker.io",
    "library",
    "localhost",
    "a",
    "b.c",
    ":",
    "/",
    "@",
    "5000",
    "latest",
    "sha256:",
    hex,
    "[::1]",
    "_",
    "__",
    "-",
    ".",
    "A",
    "toString",
  ],
  seeds: [
    "alpine",
    "docker.io/library/a:1",
    `localhost:5000/a/b@sha256:${hex}`,
    "[::1]:80/x",
    "library/a/b",
    "docker.io/library/b.c/d",
  ],
  check(input) {
    const text = input.toString("utf8");
    const { value } = outcome(() => parseReference(text));
    if (value === undefined) return;
    if (!grammar.test(text)) throw new Error("not of distribution's grammar");
    const full = formatReference(value);
    same("written and read", parseReference(full), value);
    same("as people write it", formatReference(parseReference(familiarName(full))), full);
  },
};

export const platforms: FuzzTarget = {
  name: "platforms",
  sources: ["store/oci/platform.ts"],
  tokens: [
    "linux",
    "windows",
    "amd64",
    "arm",
    "arm64",
    "x86_64",
    "aarch64",
    "armhf",
    "i386",
    "v7",
    "v8",
    "8",
    "/",
    "riscv64",
    "darwin",
  ],
  seeds: ["linux/amd64", "arm/v7", "linux/arm/7", "arm64", "x86_64"],
  check(input) {
    const { value } = outcome(() => parsePlatform(input.toString("utf8")));
    if (value === undefined) return;
    if (typeof value.architecture !== "string" || typeof value.os !== "string") throw new Error("no platform");
    same("written and read", parsePlatform(formatPlatform(value)), value);
    if (matchPlatform(value, value) !== 0) throw new Error("it does not fit itself");
  },
};

const maxDuration = 2 ** 63;

/** Durations, sizes, limits and modes. */
export const scalars: FuzzTarget = {
  name: "scalars",
  sources: [
    "builder/base/duration.ts",
    "builder/base/byte-size.ts",
    "builder/base/ulimit.ts",
    "builder/base/patterns/file-mode.ts",
  ],
  tokens: [
    "1",
    "0",
    ".",
    "5",
    "h",
    "m",
    "s",
    "ms",
    "us",
    "µs",
    "ns",
    "-",
    "+",
    "k",
    "g",
    "b",
    "t",
    "=",
    ":",
    "nofile",
    "core",
    "u",
    "g",
    "o",
    "a",
    "r",
    "w",
    "x",
    "X",
    "t",
    ",",
    "0755",
    "7777",
  ],
  seeds: ["1h2m3.5s", "-1.5ms", "512m", "1.5GiB", "nofile=1024:2048", "u=rwX,go=rX", "0644", "a+x,u-s,g=u"],
  check(input) {
    const text = input.toString("utf8");
    const duration = parseDuration(text);
    if (duration !== undefined && !(Math.abs(duration) < maxDuration)) throw new Error(`a duration of ${duration}`);
    const bytes = parseBytes(text);
    if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes >= 0)) throw new Error(`a size of ${bytes}`);
    const limit = parseUlimit(text);
    if (limit !== undefined) same("limit", parseUlimit(`${limit.name}=${limit.soft}:${limit.hard}`), limit);
    const { value: mode } = outcome(() => parseFileMode(text));
    if (mode === undefined) return;
    const change = compileMode(mode);
    for (const old of [0, 0o644, 0o4755, 0o7777]) {
      const now = change(old, true);
      if (!Number.isInteger(now) || now < 0 || now > 0o7777) throw new Error(`a mode of ${now}`);
    }
  },
};

export const urls: FuzzTarget = {
  name: "urls",
  sources: [
    "builder/base/git-url.ts",
    "builder/base/git-options.ts",
    "builder/base/split-url.ts",
    "builder/base/redact-url.ts",
  ],
  tokens: [
    "https://",
    "http://",
    "ssh://",
    "git://",
    "git@",
    "github.com/",
    "host",
    ":",
    "/",
    "user:secret@",
    "x.git",
    "#",
    "?",
    "&",
    "ref=",
    "tag=",
    "branch=",
    "subdir=",
    "checksum=",
    "keep-git-dir=",
    "submodules=",
    "mtime=",
    "..",
    "%2e",
    "%",
    "-",
    "--upload-pack=x",
    "[::1]",
    "\n",
  ],
  seeds: [
    "https://user:secret@host/x.git#main:sub",
    "git@github.com:a/b.git?ref=v1",
    "github.com/a/b",
    "https://h/x.git?tag=1&checksum=abc&subdir=a/../b",
  ],
  check(input) {
    const text = input.toString("utf8");
    const { value } = outcome(() => parseGitUrl(text, true));
    const parts = splitUrl(text);
    if (parts?.userinfo?.password !== undefined && parts.userinfo.password.length > 3) {
      const shown = redactUrls(text);
      if (splitUrl(shown)?.userinfo?.password === parts.userinfo.password && parts.userinfo.password !== "xxxxx")
        throw new Error("a password is shown");
    }
    if (value === undefined) return;
    if (value.remote.startsWith("-") || value.ref?.startsWith("-") === true)
      throw new Error("git would take it for an option");
    for (const word of [value.remote, value.ref, value.subdir]) {
      if (word !== undefined && /[\0\n]/.test(word)) throw new Error("a control character goes to git");
    }
    if (value.subdir?.split("/").includes("..") === true) throw new Error("out of the repository");
  },
};
