import { resolve } from "node:path";
import { isSeconds } from "../../options/epoch-seconds.ts";
import { parseCacheLimit } from "../../graph/cache-limit.ts";
import type { BuildOptions } from "../../options/options.ts";
import type { NetworkOption } from "../../ops/container/network-option.ts";
import type { PullPolicy } from "../../inputs/source/image/pull-policy.ts";
import { parseContexts } from "../../inputs/context/named.ts";
import { parseContextUrl } from "../../inputs/context/url.ts";
import { errorMessage } from "../../../native/errors.ts";
import { parsePlatform, type Platform } from "../../../store/oci/platform.ts";
import type { Invocation } from "../flags/command.ts";
import { engineOptions } from "../flags/engine-options.ts";
import { keyValues } from "../base/key-value.ts";
import { addHosts, allowed, cgroupParent, resources, shmSize, ulimits } from "../flags/limits.ts";
import { parseOutputs } from "../flags/outputs.ts";
import { parseSecrets } from "../flags/secrets.ts";
import { isNetwork, isPullPolicy, ownChecksOf } from "../config/settings.ts";
import { parseSsh } from "../flags/ssh.ts";
import { UsageError } from "../base/usage-error.ts";

/** The engine's options for a `tsbuild build` line. @throws E_USAGE */
export function buildRequest(invocation: Invocation, stdoutIsTerminal: boolean): BuildOptions {
  const { flags, config, operands } = invocation;
  const [context = "."] = operands;
  const buildArgs = withNamedEpoch(
    keyValues(flags.list("build-arg"), "--build-arg", (key) => config.env[key]),
    config.sourceDateEpoch,
  );
  const pull = pullPolicy(flags.string("pull")) ?? config.pull;
  const platform = onePlatform(flags.string("platform") ?? config.platform);
  const network = networkMode(flags.string("network")) ?? config.network;
  // The build argument wins, and is the engine's to read.
  const epoch = "SOURCE_DATE_EPOCH" in buildArgs ? undefined : sourceDateEpoch(config.sourceDateEpoch);
  const outputs = parseOutputs(flags.list("output"), {
    push: flags.bool("push"),
    load: flags.bool("load"),
    stdoutIsTerminal,
  });
  const noCacheFilter = flags.list("no-cache-filter").flatMap((stages) => stages.split(","));
  if (flags.bool("no-cache") && noCacheFilter.length > 0) {
    throw new UsageError("Cannot use --no-cache together with --no-cache-filter", { hint: "leave one of them out" });
  }
  const squash = squashOf(flags.string("squash"));
  const ownChecks = ownChecksOf(flags.string("check-own")) ?? config.ownChecks;
  const cacheTtl = flags.string("cache-ttl");
  if (cacheTtl !== undefined && parseCacheLimit(cacheTtl) === undefined)
    throw new UsageError(`--cache-ttl is no duration: ${JSON.stringify(cacheTtl)}`, { hint: "--cache-ttl 12h" });
  const maxParallelism = parallelism(flags.string("max-parallelism") ?? flags.string("jobs"));
  const dockerfile = flags.string("file");
  const target = flags.string("target");
  return {
    ...engineOptions(invocation),
    context,
    buildArgs,
    ...(flags.list("build-context").length === 0 ? {} : { contexts: namedContexts(flags.list("build-context")) }),
    ...(flags.list("secret").length === 0 ? {} : { secrets: parseSecrets(flags.list("secret"), config) }),
    ...sshAgents(invocation, context),
    ...containerOptions(flags),
    // As buildx: who gives the build the host's network gives it to any step that asks.
    allow: [
      ...allowed(flags.list("allow")),
      ...(flags.string("network") === "host" ? (["network.host"] as const) : []),
    ],
    ...cdiDirectories(invocation),
    ...(flags.has("resource") ? { resources: resources(flags.list("resource")) } : {}),
    labels: keyValues(flags.list("label"), "--label", () => ""),
    tags: flags.list("tag"),
    noCache: flags.bool("no-cache") ? true : noCacheFilter.length > 0 ? noCacheFilter : false,
    hostEnv: config.hostEnv,
    ...(outputs.length === 0 ? {} : { outputs }),
    ...(dockerfile === undefined || dockerfile === "" ? {} : { dockerfile }),
    ...(target === undefined || target === "" ? {} : { target }),
    ...(pull === undefined ? {} : { pull }),
    ...(squash === undefined ? {} : { squash }),
    ...(ownChecks === undefined ? {} : { ownChecks }),
    ...(cacheTtl === undefined ? {} : { cacheTtl }),
    ...(maxParallelism === undefined ? {} : { maxParallelism }),
    ...(platform === undefined ? {} : { platform }),
    ...(network === undefined ? {} : { network }),
    ...(epoch === undefined ? {} : { sourceDateEpoch: epoch }),
  };
}

/** As buildx: a context that comes over ssh has the user's own agent, where nothing else is said. */
function sshAgents({ flags, config }: Invocation, context: string): Pick<BuildOptions, "ssh"> {
  const words = flags.list("ssh");
  const own = words.length === 0 && (config.env["SSH_AUTH_SOCK"] ?? "") !== "" && comesOverSsh(context);
  return words.length === 0 && !own ? {} : { ssh: parseSsh(own ? ["default"] : words, config) };
}

function comesOverSsh(context: string): boolean {
  const url = context === "-" ? undefined : parseContextUrl(context);
  return url?.kind === "git" && !/^(?:https?|git):/.test(url.url.remote);
}

function cdiDirectories({ flags, config }: Invocation): Pick<BuildOptions, "cdiDirectories"> {
  const given = flags.list("cdi-spec-dir").map((directory) => resolve(config.cwd, directory));
  const directories = given.length > 0 ? given : config.cdiDirectories;
  return directories === undefined ? {} : { cdiDirectories: directories };
}

/** @throws E_USAGE, E_CONTEXT_NAME, E_CONTEXT_VALUE */
function namedContexts(words: readonly string[]): Readonly<Record<string, string>> {
  const contexts = keyValues(words, "--build-context", (name) => {
    throw new UsageError(`Flag --build-context needs a value: ${name}`, { hint: `--build-context ${name}=DIR` });
  });
  parseContexts(contexts);
  return contexts;
}

/** The flags that `build` and `run` share. @throws E_USAGE */
export function containerOptions(
  flags: Invocation["flags"],
): Pick<BuildOptions, "addHosts" | "ulimits" | "shmSize" | "cgroupParent"> {
  const size = shmSize(flags.string("shm-size"));
  const parent = cgroupParent(flags.string("cgroup-parent"));
  return {
    ...(parent === undefined ? {} : { cgroupParent: parent }),
    ...(flags.has("add-host") ? { addHosts: addHosts(flags.list("add-host")) } : {}),
    ...(flags.has("ulimit") ? { ulimits: ulimits(flags.list("ulimit")) } : {}),
    ...(size === undefined ? {} : { shmSize: size }),
  };
}

/** docker's `--pull` also takes a truth value. */
export function pullPolicy(text: string | undefined): PullPolicy | undefined {
  if (text === undefined || text === "false") return undefined;
  if (text === "true") return "always";
  return isPullPolicy(text) ? text : undefined;
}

/** docker's `--squash` is a truth value. */
function squashOf(text: string | undefined): BuildOptions["squash"] {
  if (text === undefined || text === "false") return undefined;
  return text === "all" || text === "stage" ? text : "new";
}

function parallelism(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError(`--max-parallelism is not a number of steps: ${JSON.stringify(text)}`, {
    hint: "give a number: --max-parallelism 4; 0 means no limit",
  });
}

export function networkMode(text: string | undefined): NetworkOption | undefined {
  return text !== undefined && isNetwork(text) ? text : undefined;
}

/** @throws E_OPTION_NOT_IMPLEMENTED for a list */
export function onePlatform(text: string | undefined): string | undefined {
  if (text?.includes(",") === true) {
    throw new UsageError(`Flag --platform with several platforms is not implemented: ${text}`, {
      code: "E_OPTION_NOT_IMPLEMENTED",
      hint: "build one platform at a time",
    });
  }
  try {
    if (text !== undefined) parsePlatform(text);
  } catch (cause) {
    throw new UsageError(errorMessage(cause), {
      code: "E_PLATFORM_INVALID",
      cause,
      hint: "--platform linux/amd64, linux/arm64 or linux/arm/v7",
    });
  }
  return text;
}

/** `--platform` of a command that only chooses among what is there. @throws E_PLATFORM_INVALID */
export function givenPlatform(flags: Invocation["flags"]): Platform | undefined {
  const text = onePlatform(flags.string("platform"));
  return text === undefined ? undefined : parsePlatform(text);
}

/** What is no number is the engine's to understand, who knows the context and the stages. */
function withNamedEpoch(
  buildArgs: Readonly<Record<string, string>>,
  epoch: string | undefined,
): Readonly<Record<string, string>> {
  return epoch === undefined || isSeconds(epoch) ? buildArgs : { SOURCE_DATE_EPOCH: epoch, ...buildArgs };
}

/** Whole seconds since 1970. @see https://reproducible-builds.org/specs/source-date-epoch/ */
function sourceDateEpoch(text: string | undefined): number | undefined {
  return text !== undefined && isSeconds(text) ? Number(text) : undefined;
}
