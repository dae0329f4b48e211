import type { ParseObserver } from "../dockerfile/parse.ts";
import type { DockerfileAst } from "../dockerfile/ast.ts";
import { sourceTime } from "../inputs/context/source-time.ts";
import { placeShell } from "../ops/shell/place.ts";
import { withBuiltinArgs } from "../options/builtin-args.ts";
import type { BuildOptions } from "../options/options.ts";
import type { Definition } from "./definition.ts";
import type { BuildSession } from "./session.ts";

/** A Dockerfile as one build reads it. */
export interface BuildStages {
  readonly ast: DockerfileAst;
  /** With what build arguments mean to tsbuild itself, and the target that a shell has. */
  readonly options: BuildOptions;
  /** Where the shell is that was asked for in the place of a build. */
  readonly shell: string | undefined;
}

/** Parses the Dockerfile of a build. @throws DockerfileError, E_BUILD_ARG, UrlError, E_GIT_* */
export async function readStages(
  definition: Definition,
  given: BuildOptions,
  { session, observer }: { readonly session: BuildSession; readonly observer: ParseObserver },
): Promise<BuildStages> {
  const { http, git, workspace, signal, credentials } = session;
  const parsed = definition.parse(observer);
  const at = given.debug?.at;
  const shell = at === undefined ? undefined : placeShell(parsed, at, given.target);
  const ast = shell?.ast ?? parsed;
  const asked = shell === undefined ? given : { ...given, target: shell.target };
  const options = await withBuiltinArgs(asked, ast, {
    context: definition.main.time,
    contexts: definition.contexts,
    source: async (from, name) =>
      await sourceTime(from, name, { http, git, workspace, signal, progress: (step) => session.progress(step) }),
    keepUser: (url, user) => credentials.keep(url, user),
  });
  return { ast, options, shell: shell?.where };
}
