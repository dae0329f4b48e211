import type { OutputSpec } from "../../options/options.ts";
import { parseCsv } from "../base/csv.ts";
import { UsageError } from "../base/usage-error.ts";

/** `-o` values, `--load` and `--push` as the outputs of a build. @throws E_USAGE, E_OUTPUT_NOT_IMPLEMENTED */
export function parseOutputs(
  words: readonly string[],
  want: { readonly push: boolean; readonly load: boolean; readonly stdoutIsTerminal: boolean },
): readonly OutputSpec[] {
  const outputs = words.map((word) => parseOutput(word));
  for (const output of outputs) {
    if ("dest" in output && output.dest === "-" && want.stdoutIsTerminal) {
      throw new UsageError("Cannot write a tar archive to the terminal", { hint: "-o - > image.tar, or dest=FILE" });
    }
  }
  if (!want.push) return want.load ? [...outputs, { type: "image" }] : outputs;
  const image = outputs.find((output) => output.type === "image");
  if (outputs.length > 0 && image === undefined) {
    throw new UsageError("Flag --push goes with an image output only", { hint: "leave out -o, or add -o type=image" });
  }
  if (image === undefined) return [{ type: "image", push: true }];
  return outputs.map((output) => (output === image ? { ...image, push: true } : output));
}

function parseOutput(word: string): OutputSpec {
  if (word === "-") return { type: "tar", dest: "-" };
  if (word === "") throw invalid(word, "it is empty");
  const pairs = parseCsv(word, "-o");
  const [first] = pairs;
  if (pairs.length === 1 && first?.[1] === undefined) return { type: "local", dest: word };
  const values = new Map<string, string>();
  for (const [key, value] of pairs) {
    if (value === undefined) throw invalid(word, `${key} has no value`);
    values.set(key, value);
  }
  const type = take(values, "type");
  if (type === undefined) throw invalid(word, "there is no type");
  const output = typed(word, type, values);
  const [left] = values.keys();
  if (left !== undefined) {
    throw new UsageError(`Output attribute ${left} of type=${type} is not implemented`, {
      code: "E_OUTPUT_NOT_IMPLEMENTED",
      hint: "attributes there are: type, dest, tar, name, push, mode, platform-split",
    });
  }
  return output;
}

/** Takes out of `values` what the type knows. */
function typed(word: string, type: string, values: Map<string, string>): OutputSpec {
  switch (type) {
    case "image":
    case "registry": {
      const push = truth(word, "push", take(values, "push")) ?? type === "registry";
      return { type: "image", ...names(values), ...(push ? { push } : {}) };
    }
    case "oci":
    case "docker": {
      const tar = truth(word, "tar", take(values, "tar")) ?? true;
      const dest = take(values, "dest");
      if (dest === undefined && type === "docker") return { type: "image", ...names(values) };
      if (dest === undefined && !tar) throw invalid(word, "tar=false needs dest=DIR");
      return { type, dest: dest ?? "-", tar, ...names(values) };
    }
    case "local": {
      const dest = take(values, "dest");
      if (dest === undefined || dest === "-") throw invalid(word, "type=local needs dest=DIR");
      const mode = take(values, "mode") ?? "copy";
      if (mode !== "copy" && mode !== "delete") throw invalid(word, `mode ${mode} is neither copy nor delete`);
      const platformSplit = truth(word, "platform-split", take(values, "platform-split")) ?? false;
      return {
        type: "local",
        dest,
        ...(mode === "delete" ? { mode } : {}),
        ...(platformSplit ? { platformSplit } : {}),
      };
    }
    case "tar":
      return { type: "tar", dest: take(values, "dest") ?? "-" };
    case "cacheonly":
      return { type: "cacheonly" };
    default:
      throw invalid(word, `type ${type} is none of image, registry, docker, oci, local, tar, cacheonly`);
  }
}

function take(values: Map<string, string>, key: string): string | undefined {
  const value = values.get(key);
  values.delete(key);
  return value === "" ? undefined : value;
}

function names(values: Map<string, string>): { readonly names?: readonly string[] } {
  const name = take(values, "name");
  return name === undefined ? {} : { names: name.split(",").map((one) => one.trim()) };
}

function truth(word: string, key: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw invalid(word, `${key} is true or false`);
}

function invalid(word: string, why: string): UsageError {
  return new UsageError(`Cannot use output ${JSON.stringify(word)}: ${why}`, {
    hint: "-o DIR, -o -, or -o type=oci,dest=image.tar",
  });
}
