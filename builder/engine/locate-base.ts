import { TsbuildError } from "../../native/errors.ts";
import { normalizeReference, parseReference } from "../../store/oci/reference.ts";
import { DockerfileError } from "../base/error.ts";
import type { SourceLocation } from "../base/location.ts";
import { suggest } from "../base/suggest.ts";
import type { DockerfileAst } from "../dockerfile/ast.ts";

/** An image as messages call it: in full where that can be. */
export function shownName(name: string): string {
  try {
    return normalizeReference(name);
  } catch {
    return name;
  }
}

function hostOf(name: string): string {
  try {
    return parseReference(name).host;
  } catch {
    return "docker.io";
  }
}

const commonImages = ["alpine", "busybox", "centos", "debian", "fedora", "golang", "nginx", "node", "python", "ubuntu"];

/** Gives the error of a base image its place in the Dockerfile. */
export async function locateBase<T>(
  name: string,
  location: SourceLocation,
  ast: DockerfileAst,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof TsbuildError) || error instanceof DockerfileError) throw error;
    const missing = error.code === "E_REGISTRY_NOT_FOUND";
    // Some registries do not tell strangers what they do not have.
    const unknown = missing || error.code === "E_REGISTRY_AUTH";
    const [repository = name] = name.split(/[:@]/);
    const stages = ast.stages.flatMap((stage) => stage.name ?? []);
    const near = suggest(repository, unknown ? [...stages, ...commonImages] : stages);
    const hints = [
      ...(near === undefined ? [] : [`did you mean \`${name.replace(repository, near)}\`?`]),
      ...(missing ? [`if it is private: tsbuild login ${hostOf(name)}`] : []),
      ...(near !== undefined && missing ? [] : (error.hint ?? "").split("\n").filter((line) => line !== "")),
    ];
    throw new DockerfileError(
      missing ? `Cannot find ${shownName(name)}: it does not exist, or is private` : error.message,
      {
        code: missing ? "E_BASE_NOT_FOUND" : error.code,
        cause: error,
        location,
        source: ast.text,
        notes: missing ? [error.message, ...error.notes] : error.notes,
        ...(hints.length === 0 ? {} : { hint: hints.join("\n") }),
      },
    );
  }
}
