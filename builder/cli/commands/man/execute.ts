import type { Invocation } from "../../flags/command.ts";
import { manPages } from "../../help/man.ts";
import { packageVersion } from "../../host/package-version.ts";
import { closest } from "../../base/suggest.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild man build | man -l -`: a page of the manual as roff. */
export async function execute({ operands, out, commands }: Invocation): Promise<number> {
  const command = operands.join(" ");
  const pages = manPages(commands, packageVersion());
  const wanted = command === "" ? "tsbuild.1" : `tsbuild-${command.replaceAll(" ", "-")}.1`;
  const page = pages.find(({ file }) => file === wanted);
  if (page === undefined) {
    const names = pages.map(({ file }) => file.replace(/^tsbuild-|\.1$/g, ""));
    const meant = closest(command, names);
    throw new UsageError(`Cannot show the manual of ${JSON.stringify(command)}: there is no such command`, {
      hint: meant === undefined ? "tsbuild --help lists the commands" : `did you mean tsbuild man ${meant}?`,
    });
  }
  out.result(page.text);
  return 0;
}
