import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { errorMessage } from "../../../../native/errors.ts";
import type { RunOptions } from "../../../options/options.ts";
import { containerOptions, networkMode, onePlatform, pullPolicy } from "../build-request.ts";
import type { Invocation } from "../../flags/command.ts";
import { enoughMemory, resourceFlags } from "../../flags/limits.ts";
import { engineOptions } from "../../flags/engine-options.ts";
import { UsageError } from "../../base/usage-error.ts";

/** The engine's options for a `tsbuild run` line. @throws E_USAGE */
export function runRequest(invocation: Invocation): RunOptions {
  const { flags, config, operands } = invocation;
  const [image = "", ...command] = operands;
  if (flags.has("rm") && !flags.bool("rm")) throw noContainersThatStay();
  const entrypoint = flags.string("entrypoint");
  const pull = pullPolicy(flags.string("pull")) ?? config.pull;
  const platform = onePlatform(flags.string("platform") ?? config.platform);
  const network = networkMode(flags.string("network")) ?? config.network;
  return {
    ...engineOptions(invocation),
    image,
    ...(command.length === 0 ? {} : { command }),
    interactive: flags.bool("interactive"),
    tty: flags.bool("tty"),
    init: flags.bool("init"),
    env: [
      ...flags.list("env-file").flatMap((file) => envFile(file, config.cwd, config.env)),
      ...flags.list("env").flatMap((word) => envWord(word, config.env)),
    ],
    ...containerOptions(flags),
    resources: resourceFlags(flags),
    ...(flags.has("tmpfs") ? { tmpfs: flags.list("tmpfs") } : {}),
    ...(flags.has("cap-add") ? { capAdd: flags.list("cap-add") } : {}),
    ...(flags.has("cap-drop") ? { capDrop: flags.list("cap-drop") } : {}),
    volumes: flags.list("volume").map((word) => volume(word, config.cwd)),
    ...(entrypoint === undefined ? {} : { entrypoint: entrypoint === "" ? [] : [entrypoint] }),
    ...text("workdir"),
    ...text("user"),
    ...text("hostname"),
    ...(flags.has("memory") ? { memory: memory(flags.string("memory") ?? "") } : {}),
    ...(flags.has("cpus") ? { cpus: cpus(flags.string("cpus") ?? "", flags) } : {}),
    ...(pull === undefined ? {} : { pull }),
    ...(platform === undefined ? {} : { platform }),
    ...(network === undefined ? {} : { network }),
  };

  function text<K extends "workdir" | "user" | "hostname">(name: K): { readonly [P in K]?: string } {
    const value = flags.string(name);
    return value === undefined || value === "" ? {} : ({ [name]: value } as { readonly [P in K]?: string });
  }
}

function noContainersThatStay(): UsageError {
  return new UsageError("Containers that stay after their end are not implemented: --rm=false", {
    code: "E_OPTION_NOT_IMPLEMENTED",
    hint: "keep what it writes with -v DIR:DIR, or make it a RUN step of a Dockerfile",
  });
}

function envWord(word: string, env: Readonly<Record<string, string>>): readonly string[] {
  if (word === "" || word.startsWith("=")) {
    throw new UsageError(`Flag --env needs a name: ${JSON.stringify(word)}`, { hint: "-e NAME=VALUE" });
  }
  if (word.includes("=")) return [word];
  const value = env[word];
  return value === undefined ? [] : [`${word}=${value}`];
}

/** One `K=V` or `K` a line; `#` begins a comment line. @see docker run --env-file */
function envFile(file: string, cwd: string, env: Readonly<Record<string, string>>): readonly string[] {
  let content: string;
  try {
    content = readFileSync(resolve(cwd, file), "utf8");
  } catch (cause) {
    throw new UsageError(`Cannot read env file ${file}: ${errorMessage(cause)}`, { cause, hint: "check the path" });
  }
  const lines = content.replace(/^\ufeff/, "").split(/\r?\n/);
  return lines
    .map((line) => line.trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .flatMap((line) => envWord(checkedName(line, file), env));
}

function checkedName(line: string, file: string): string {
  const [name = ""] = line.split("=", 1);
  if (!/\s/.test(name)) return line;
  throw new UsageError(`Cannot read env file ${file}: the name ${JSON.stringify(name)} has a space in it`, {
    hint: "write NAME=VALUE, without quotes and without spaces around =",
  });
}

/** What there is nothing to do for: labels of SELinux, which are not written to the host's files. */
const unlabelled: readonly string[] = ["z", "Z"];

/** `SRC:DST[:ro|rw]` with SRC made absolute. */
function volume(word: string, cwd: string): string {
  const [source = "", target = "", options = "", ...more] = word.split(":");
  const hint = "-v /host/dir:/container/dir[:ro]";
  if (source === "" || !target.startsWith("/") || more.length > 0) {
    throw new UsageError(`Cannot use volume ${JSON.stringify(word)}: it is not SRC:DST[:ro]`, { hint });
  }
  const modes = options.split(",").filter((one) => one !== "" && !unlabelled.includes(one));
  const odd = modes.find((one) => one !== "ro" && one !== "rw");
  if (odd !== undefined) {
    throw new UsageError(`Volume option ${odd} is not implemented`, { code: "E_OPTION_NOT_IMPLEMENTED", hint });
  }
  if (!source.includes("/") && source !== "." && source !== "..") {
    const bind = `a directory of the host is ./${source} or an absolute path`;
    throw new UsageError(`Named volumes are not implemented: ${source}`, {
      code: "E_OPTION_NOT_IMPLEMENTED",
      hint: bind,
    });
  }
  return [resolve(cwd, source), target, ...modes.slice(-1)].join(":");
}

function memory(text: string): number {
  const bytes = enoughMemory(text);
  if (bytes === undefined) {
    throw new UsageError(`Flag --memory cannot be ${JSON.stringify(text)}: a size of at least 6m`, { hint: "-m 512m" });
  }
  return bytes;
}

function cpus(text: string, flags: Invocation["flags"]): number {
  const other = ["cpu-quota", "cpu-period"].find((name) => flags.has(name));
  if (other !== undefined) throw new UsageError(`Cannot use --cpus together with --${other}`, { hint: "give one" });
  const count = Number(text);
  if (text.trim() === "" || !Number.isFinite(count) || count < 0.01) {
    throw new UsageError(`Flag --cpus cannot be ${JSON.stringify(text)}: a number above 0.01`, { hint: "--cpus 1.5" });
  }
  return count;
}
