import { DockerfileError } from "../../builder/base/error.ts";
import type { SourceLocation } from "../../builder/base/location.ts";
import { parseDockerfile } from "../../builder/dockerfile/parse.ts";
import { convert, type BuildPlan } from "../../builder/convert/convert.ts";
import { TsbuildError } from "../../native/errors.ts";
import type { ImageConfig } from "../../store/oci/config.ts";
import { asDiffID, digestOf } from "../../store/oci/digest.ts";
import type { NamedImage } from "../../store/oci/image.ts";
import { parsePlatform } from "../../store/oci/platform.ts";
import { parseReference } from "../../store/oci/reference.ts";
import { namedImage } from "./named-image.ts";

/** A Dockerfile and what is asked for beside it. Bytes where the text is not UTF-8. */
export interface PlanRequest {
  readonly text: string | Uint8Array;
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly platform?: string;
}

const layers = { type: "layers" as const, diff_ids: [asDiffID(digestOf("layer"))] };
const plain = {
  architecture: "amd64",
  os: "linux",
  config: { Env: ["PATH=/bin", "BASE=b"], Cmd: ["sh"], WorkingDir: "/" },
  rootfs: layers,
  history: [{ created_by: "base" }],
};

/** The only images there are. */
export const planBases: Readonly<Record<string, ImageConfig>> = {
  "docker.io/library/busybox:1": plain,
  // With triggers.
  "docker.io/library/onb:1": {
    ...plain,
    config: { ...plain.config, OnBuild: ["ENV OB=1", "RUN echo $OB", "COPY a /b"] },
  },
  // With a value in every field.
  "docker.io/library/full:1": {
    ...plain,
    author: "me",
    config: {
      ...plain.config,
      User: "u",
      Entrypoint: ["e"],
      ExposedPorts: { "1/tcp": {} },
      Volumes: { "/v": {} },
      Labels: { l: "1" },
      StopSignal: "9",
      Healthcheck: { Test: ["CMD", "x"], Interval: 5_000_000_000 },
      Shell: ["/bin/bash", "-c"],
      WorkingDir: "/w",
    },
  },
  // With little.
  "docker.io/library/rel:1": { ...plain, config: { WorkingDir: "rel", Env: ["A=1"] }, history: [] },
};

/** Reads and converts a Dockerfile as a build does, for linux/amd64 unless a platform is asked for. */
export async function planText({ text, args = {}, labels = {}, target, platform }: PlanRequest): Promise<BuildPlan> {
  const ast = parseDockerfile(typeof text === "string" ? text : Buffer.from(text), "Dockerfile");
  const build = parsePlatform("linux/amd64");
  return await convert(ast, {
    target,
    buildArgs: new Map(Object.entries(args)),
    labels,
    platforms: {
      target: platform === undefined ? build : parsePlatform(platform),
      build,
      explicit: platform !== undefined,
    },
    network: "default",
    allow: new Set(["network.host", "security.insecure"]),
    devices: { resolve: (requests) => requests.map(({ name }) => name) },
    limits: {},
    hostname: undefined,
    epoch: undefined,
    noCache: false,
    contexts: new Map(),
    keepUser: () => undefined,
    resolveImage: async (name, _platform, location) => await Promise.resolve(resolveBase(name, location, ast.text)),
    resolveLayout: async () => await Promise.reject(new RangeError("no layouts here")),
  });
}

function resolveBase(name: string, location: SourceLocation, source: string): NamedImage {
  const fail = (code: string, message: string): Error => new DockerfileError(message, { code, location, source });
  try {
    const { host, path, tag = "" } = parseReference(name);
    const ref = `${host}/${path}:${tag}`;
    const config = planBases[ref];
    if (config === undefined) throw fail("E_BASE_NOT_FOUND", `no image ${ref}`);
    return namedImage(ref, config);
  } catch (error) {
    if (!(error instanceof TsbuildError) || error instanceof DockerfileError) throw error;
    throw fail(error.code, error.message);
  }
}
