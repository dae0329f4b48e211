import { hostPlatform, type Platform } from "../../store/oci/platform.ts";
import type { CopyInstruction, DockerfileAst, Instruction, Stage } from "../dockerfile/ast.ts";
import { DockerfileError } from "../base/error.ts";
import type { SourceLocation } from "../base/location.ts";
import { convert } from "./convert.ts";
import type { KeepUser } from "./dispatch/context.ts";
import { evaluateGlobalArgs, expandGlobal, predefinedArgs } from "./global-args.ts";
import type { GitOp, HttpOp } from "../graph/opspec.ts";
import { reachable } from "../graph/vertex.ts";

/** What a stage that SOURCE_DATE_EPOCH names is read with. */
export interface EpochStage {
  readonly ast: DockerfileAst;
  readonly stage: Stage;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly target: Platform;
  readonly keepUser: KeepUser;
}

/**
 * The URL or repository whose time is that of a stage: `FROM scratch` with ARGs and one ADD of it, which is all that the
 * stage may have. @throws E_BUILD_ARG and what an ADD can be wrong with
 */
export async function epochSource(named: EpochStage): Promise<HttpOp | GitOp> {
  const { ast, stage, buildArgs, keepUser } = named;
  const platforms = { target: named.target, build: hostPlatform() };
  const globals = evaluateGlobalArgs(ast, predefinedArgs(platforms, stage.name), buildArgs);
  const fail = (location: SourceLocation, why: string): DockerfileError => badStage(ast, stage, location, why);
  const { image } = stage.from;
  if (expandGlobal(ast, image.raw, globals, image.location) !== "scratch")
    throw fail(image.location, "is not FROM scratch");
  const other = stage.instructions.find(({ kind }) => kind !== "ARG" && kind !== "ADD");
  if (other !== undefined) throw fail(other.location, `has ${other.kind}`);
  const [add, second] = stage.instructions.filter(isAdd);
  if (add === undefined) throw fail(stage.from.location, "has no ADD");
  if (second !== undefined) throw fail(second.location, "has a second ADD");
  if (add.sources.length !== 1 || add.heredocs.length > 0) throw fail(add.location, "adds more than one thing");
  // Read as the stage itself is when it is built, without the others.
  const { target } = await convert(
    { ...ast, stages: [{ ...stage, index: 0 }] },
    { ...alone, buildArgs, keepUser, platforms },
  );
  const [source] = reachable(target).flatMap(({ op }) => (op.kind === "http" || op.kind === "git" ? [op] : []));
  if (source === undefined) throw fail(add.location, "adds what has no time: neither a URL nor a repository");
  return source;
}

const alone = {
  target: undefined,
  labels: {},
  network: "none",
  allow: new Set<never>(),
  devices: {
    resolve: () => {
      throw new RangeError("a device of an ADD");
    },
  },
  limits: {},
  hostname: undefined,
  epoch: undefined,
  noCache: false,
  contexts: new Map(),
  resolveImage: async () => await Promise.reject(new RangeError("an image below FROM scratch")),
  resolveLayout: async () => await Promise.reject(new RangeError("a layout below FROM scratch")),
} as const;

function isAdd(instruction: Instruction): instruction is CopyInstruction {
  return instruction.kind === "ADD";
}

function badStage(ast: DockerfileAst, stage: Stage, location: SourceLocation, why: string): DockerfileError {
  return new DockerfileError(`Cannot use SOURCE_DATE_EPOCH=${stage.name}: the stage ${why}`, {
    code: "E_BUILD_ARG",
    location,
    source: ast.text,
    hint: "a stage with a time has FROM scratch, ARGs, and one ADD of a URL or a git repository",
  });
}
