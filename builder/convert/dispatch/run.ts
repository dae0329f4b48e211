import { posix } from "node:path";
import type { RunInstruction } from "../../dockerfile/ast.ts";
import { envMap, getEnv } from "../../base/env.ts";
import { addHistory, nextStep, type StageState } from "../stage-state.ts";
import { makeVertex } from "../../graph/vertex.ts";
import type { DispatchInput } from "./context.ts";
import { runDevices } from "./devices.ts";
import { shellWords } from "./metadata.ts";
import { runMounts } from "./mounts.ts";
import { runCommand } from "./run-heredoc.ts";
import { runRights } from "./run-rights.ts";
import { runName } from "./step-name.ts";

/** RUN: one more vertex over the stage's file system. */
export function dispatchRun(input: DispatchInput<RunInstruction>): void {
  const { state, instruction, context } = input;
  const devices = runDevices(instruction, context);
  const { command, script, summary } = runCommand(instruction, context);
  const args = shellWords(state, command);
  const slot = nextStep(state);
  const { mounts, inputs, agent } = runMounts(input, slot);
  state.vertex = makeVertex({
    op: {
      kind: "run",
      args,
      env: agent === undefined ? state.env : withDefault(state.env, "SSH_AUTH_SOCK", agent),
      cwd: posix.resolve("/", state.config.WorkingDir ?? ""),
      user: state.config.User ?? "",
      ...runRights(instruction, context),
      ...(script === undefined ? {} : { script }),
      ...(context.hostname === undefined ? {} : { hostname: context.hostname }),
      ...(mounts.length === 0 ? {} : { mounts }),
      ...(devices.length === 0 ? {} : { devices }),
      ...(Object.keys(context.limits).length === 0 ? {} : { limits: context.limits }),
    },
    inputs: [state.vertex, ...inputs],
    name: runName(input, { summary, mounts }),
    slot,
    location: instruction.location,
    ignoreCache: state.ignoreCache,
    argNames: ownArgs(state),
  });
  addHistory(state, `RUN ${argsPrefix(state)}${args.join(" ")} # buildkit`, true);
}

function withDefault(env: readonly string[], name: string, value: string): readonly string[] {
  return getEnv(env, name) === undefined ? [...env, `${name}=${value}`] : env;
}

/** The names of ARGs that no ENV has. */
function ownArgs({ args, config }: StageState): readonly string[] {
  if (args.length === 0) return [];
  const env = envMap(config.Env ?? []);
  return args.map(({ key }) => key).filter((key) => !env.has(key));
}

/** `|2 A=1 B=2 `: the ARGs a RUN saw, as docker's history shows them. */
function argsPrefix(state: StageState): string {
  if (state.args.length === 0) return "";
  const env = envMap(state.env);
  const seen = new Map(state.args.map(({ key, value }) => [key, env.get(key) ?? value ?? ""]));
  return `|${seen.size} ${[...seen].map(([key, value]) => `${key}=${value}`).join(" ")} `;
}
