import { TsbuildError } from "../../native/errors.ts";

/** @see image-spec image-index.md#platform */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

const architectures: ReadonlyMap<string, { readonly architecture: string; readonly variant?: string }> = new Map([
  ["x86_64", { architecture: "amd64" }],
  ["x86-64", { architecture: "amd64" }],
  ["aarch64", { architecture: "arm64" }],
  ["armhf", { architecture: "arm", variant: "v7" }],
  ["armel", { architecture: "arm", variant: "v6" }],
  ["i386", { architecture: "386" }],
]);
const knownArchitectures = new Set(
  (
    "386 amd64 amd64p32 arm arm64 arm64be armbe loong64 mips mips64 mips64le mips64p32 mips64p32le mipsle ppc ppc64 " +
    "ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm"
  ).split(" "),
);
const knownSystems = new Set(
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos".split(
    " ",
  ),
);

/** `os/arch[/variant]`, `arch` or `os`, normalised as containerd does. @throws E_PLATFORM_INVALID */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) throw invalid(text);
  const [first = "", second, third] = parts;
  if (second !== undefined) return normalize(first, second, third);
  const system = systemOf(first);
  if (knownSystems.has(system)) return { ...hostPlatform(), os: system };
  const known = architectures.get(first)?.architecture ?? first;
  if (knownArchitectures.has(known)) return normalize("linux", first, undefined);
  throw invalid(text);
}

function systemOf(os: string): string {
  return os === "macos" ? "darwin" : os;
}

function normalize(os: string, arch: string, variant: string | undefined): Platform {
  const known = architectures.get(arch) ?? { architecture: arch };
  const { architecture } = known;
  const found = variantOf(architecture, known.variant ?? variant);
  return { os: systemOf(os), architecture, ...(found === undefined ? {} : { variant: found }) };
}

/** undefined: the one that goes without saying. @see containerd's platforms.Normalize */
function variantOf(architecture: string, given: string | undefined): string | undefined {
  switch (architecture) {
    case "386":
      return undefined;
    case "amd64":
      return given === "v1" ? undefined : given;
    case "arm64":
      return /^v?8(?:\.0)?$/.test(given ?? "8") ? undefined : given?.replace(/^v?9(?:\.0)?$/, "v9");
    case "arm":
      return given === undefined ? "v7" : given.replace(/^(\d)$/, "v$1");
    default:
      return given;
  }
}

/** As image configs have it: `amd64` for `x86_64`, no `v8` of arm64. */
export function normalizePlatform(platform: Platform): Platform {
  const { os, architecture, variant, ...rest } = platform;
  return { ...normalize(os, architecture, variant === "" ? undefined : variant), ...rest };
}

/** This machine's platform. */
export function hostPlatform(): Platform {
  const arch = {
    x64: "amd64",
    arm64: "arm64",
    arm: "arm",
    ia32: "386",
    ppc64: "ppc64le",
    s390x: "s390x",
    riscv64: "riscv64",
  };
  return normalize(
    "linux",
    Object.entries(arch).find(([node]) => node === process.arch)?.[1] ?? process.arch,
    undefined,
  );
}

/** `os/arch[/variant]`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant]
    .filter((part) => part !== undefined && part !== "")
    .join("/");
}

/** How well an image of `offered` serves a machine of `wanted`: 0 is exact, undefined not at all. */
export function matchPlatform(wanted: Platform, offered: Platform): number | undefined {
  const [want, have] = [wanted, offered].map((one) => normalize(one.os, one.architecture, one.variant));
  if (want === undefined || have === undefined || want.os !== have.os) return undefined;
  const [a, b] = [level(want), level(have)];
  if (want.architecture === have.architecture) return b > a ? undefined : a - b;
  // What the machine runs as well: 32 bits.
  if (want.architecture === "amd64") return have.architecture === "386" ? 100 : undefined;
  return want.architecture === "arm64" && have.architecture === "arm" && b <= a ? 100 + a - b : undefined;
}

function level(platform: Platform): number {
  const fallback = platform.architecture === "arm64" ? 8 : platform.architecture === "amd64" ? 1 : 0;
  const match = /^v(\d+)/.exec(platform.variant ?? "");
  return match === null ? fallback : Number(match[1]);
}

function invalid(text: string): TsbuildError {
  return new TsbuildError(`Cannot read platform ${JSON.stringify(text)}: not os/arch[/variant]`, {
    code: "E_PLATFORM_INVALID",
    hint: "for example linux/amd64",
  });
}
