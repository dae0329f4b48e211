import { isatty } from "node:tty";
import { contextID, dockerfileID } from "../../../inputs/context/url.ts";
import type { ShellPlace } from "../../../ops/shell/place.ts";
import { attendShell } from "../attend-shell.ts";
import { buildRequest } from "../build-request.ts";
import type { Invocation } from "../../flags/command.ts";
import { brieflyShown } from "../../progress/brief.ts";
import { openProgress, progressMode } from "../../progress/view.ts";
import { openInvocationStore } from "../open-store.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild shell`: the exit code of the shell. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, config, out, operands } = invocation;
  const request = buildRequest(invocation, isatty(1));
  if ([request.context, request.dockerfile, ...Object.values(request.contexts ?? {})].includes("-")) {
    throw new UsageError("Cannot read a context or Dockerfile from standard input: the shell reads it", {
      hint: "give its file or directory: tsbuild shell -f Dockerfile .",
    });
  }
  const at = await placeOf(invocation, request.context);
  const mode = progressMode(flags.string("progress"), false, config);
  await using view = brieflyShown(async () => await openProgress(mode, config, out));
  const { build } = await import("../../../index.ts");
  const { ShellEnded } = await import("../../../ops/shell/debug.ts");
  let open = true;
  const running = build({
    ...request,
    onEvent: (event) => {
      // The step that stands for the shell is not one of the Dockerfile.
      if (open && event.kind !== "miss") view.sink(event);
    },
    debug: {
      at,
      command: operands.slice(1),
      attend: async (offered) => {
        open = false;
        await view.done();
        return await attendShell(offered, invocation);
      },
    },
  });
  try {
    await running.result;
    return 0;
  } catch (error) {
    if (error instanceof ShellEnded) return error.exitCode;
    throw error;
  }
}

async function placeOf(invocation: Invocation, context: string): Promise<ShellPlace> {
  const { flags } = invocation;
  const text = flags.string("at");
  const before = flags.bool("before");
  if (text !== undefined && /^\d+$/.test(text) && Number(text) > 0) return { kind: "line", line: Number(text), before };
  if (text === "failed") return { kind: "line", line: await failedLine(invocation, context), before: true };
  if (before) throw new UsageError("Flag --before needs the line of a step", { hint: "--at 12 --before" });
  return text === undefined ? { kind: "end" } : { kind: "stage", name: text };
}

/** Where the last build of the directory failed. */
async function failedLine(invocation: Invocation, context: string): Promise<number> {
  const { findBuildOf } = await import("../../../solve/record/find.ts");
  await using store = await openInvocationStore(invocation);
  const { cwd } = invocation.config;
  const file = invocation.flags.string("file");
  const dockerfile = file === undefined ? undefined : dockerfileID(file, cwd);
  const line = findBuildOf(store.builds, { context: contextID(context, cwd), dockerfile })?.error?.line;
  if (line !== undefined) return line;
  throw new UsageError(`Cannot open a shell at a failed step: the last build of ${context} has none`, {
    hint: "--at LINE opens a shell at any step",
  });
}
