import type { Invocation } from "../../flags/command.ts";
import { formatOne } from "../../format/output.ts";
import { packageVersion } from "../../host/package-version.ts";

/** `tsbuild version`: the parts that a report of a fault needs. */
export async function execute({ flags, out }: Invocation): Promise<number> {
  const facts = {
    Version: packageVersion(),
    Node: process.versions.node,
    Os: process.platform,
    Arch: process.arch === "x64" ? "amd64" : process.arch,
    ApiVersion: 1,
  };
  const format = flags.string("format");
  const lines = Object.entries(facts).map(([name, value]) => `${`${name}:`.padEnd(12)} ${value}\n`);
  out.result(format === undefined ? lines.join("") : formatOne(format, facts));
  return 0;
}
