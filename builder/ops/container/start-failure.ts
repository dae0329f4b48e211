import { openOverlay, type OverlayLayers } from "../../../native/mount.ts";
import { hostPlatform } from "../../../store/oci/platform.ts";
import { StartError, type ContainerSpec } from "../../../runtime/index.ts";
import { suggest } from "../../base/suggest.ts";
import { getEnv } from "../../base/env.ts";
import { foreignHint, foreignMachine } from "../elf-machine.ts";
import { programs } from "./programs.ts";
import { resolveInRoot, statInRoot } from "../../inputs/files/resolve.ts";

/** Why the program of a container of an image could not be executed, with what helps; other errors as they are. */
export function explainStart(error: unknown, { args, env, root }: ContainerSpec): unknown {
  if (!(error instanceof StartError) || !error.code.startsWith("E_EXEC_")) return error;
  const { code, step, errno } = error;
  const [program = ""] = args;
  const layers = root.kind === "overlay" ? layersOf(root.layers) : [];
  return new StartError(error.message, { code, step, errno, ...advice({ error, program, env, layers }) });
}

function layersOf({ lower, upper }: OverlayLayers): readonly string[] {
  return upper === undefined ? lower : [upper, ...lower];
}

function advice(parts: {
  readonly error: StartError;
  readonly program: string;
  readonly env: readonly string[];
  readonly layers: readonly string[];
}): { readonly hint?: string; readonly notes?: readonly string[] } {
  const { error, program, env, layers } = parts;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  const machine = error.errno === "ENOEXEC" ? foreignMachine(layers, env, program) : undefined;
  if (machine !== undefined) {
    const { os, architecture } = hostPlatform();
    return {
      hint: foreignHint(machine, `run --platform ${os}/${architecture} runs the image for it, if there is one`),
    };
  }
  if (program.startsWith("-")) return { hint: `flags stand before the image: tsbuild run ${program} IMAGE` };
  if (program.includes("/")) {
    const type = typeInside(layers, program);
    if (type === "directory") return { hint: directoryHint };
    if (error.code !== "E_EXEC_NOT_FOUND") return hint;
    return type === undefined
      ? { hint: "the image has no such file: check its path" }
      : { hint: "it is there, and the interpreter that it names is not: of a script look at its first line" };
  }
  if (error.code !== "E_EXEC_NOT_FOUND") return hint;
  const near = suggest(program, programs(layers, env));
  const notes = [`PATH of the image: ${getEnv(env, "PATH") ?? "(none)"}`];
  return { notes, hint: near === undefined ? "check its name, or give its whole path" : `did you mean ${near}?` };
}

/** Of a directory that was to be executed. */
export const directoryHint = "it is a directory: name a program";

/** What lies at a path of the image; undefined where nothing does. Never throws. */
export function typeInside(layers: readonly string[], path: string): string | undefined {
  try {
    using root = openOverlay({ lower: layers });
    return statInRoot(root, resolveInRoot(root, path))?.type;
  } catch {
    return undefined;
  }
}
