import { closeSync, openSync, readSync } from "node:fs";
import { TerminalLines } from "../../../base/terminal-lines.ts";
import { contextID } from "../../../inputs/context/url.ts";
import type { Invocation } from "../../flags/command.ts";
import { openInvocationStore } from "../open-store.ts";
import type { Output } from "../../terminal/output.ts";
import { printable } from "../../base/text.ts";

/** `tsbuild logs`: what steps printed on standard output, as a terminal may have it; which steps on standard error. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, out, config } = invocation;
  const [wanted, step] = operands;
  const { findBuild } = await import("../../../solve/record/find.ts");
  const { findLogs } = await import("../../../solve/record/logs.ts");
  await using store = await openInvocationStore(invocation);
  const named = wanted === undefined ? undefined : contextID(wanted, config.cwd);
  const record = findBuild(store.builds, wanted, { current: config.cwd, named });
  for (const { step: shown, path } of findLogs(store.builds, record, step)) {
    if (flags.bool("path")) {
      out.result(`${path}\n`);
      continue;
    }
    const line = shown.line === undefined ? "" : ` (line ${shown.line})`;
    if (step === undefined) out.notice(`==> ${printable(shown.name)}${line}\n`);
    showFile(path, out);
  }
  return 0;
}

/** The log itself has every byte: `--path` says where it is. */
function showFile(path: string, out: Output): void {
  const lines = new TerminalLines({ longest: 1 << 20 });
  const fd = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(1 << 16);
    for (let size = readSync(fd, buffer); size > 0; size = readSync(fd, buffer)) {
      out.result(
        lines
          .push(buffer.subarray(0, size))
          .map(({ text }) => `${text}\n`)
          .join(""),
      );
    }
    out.result(lines.end());
  } finally {
    closeSync(fd);
  }
}
