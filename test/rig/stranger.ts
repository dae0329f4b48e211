import { spawnSync } from "node:child_process";

/** Another user of the machine, without any rights. */
export const strangerUid = 65534;

/** Runs a program as that user. */
export function asStranger(
  words: readonly string[],
  input: string = "",
): { readonly stdout: string; readonly stderr: string } {
  const uid = String(strangerUid);
  const rights = ["--reuid", uid, "--regid", uid, "--clear-groups", "--inh-caps=-all"];
  // setpriv itself has root's capabilities until it becomes another program.
  const { stdout, stderr } = spawnSync("setpriv", [...rights, "env", ...words], {
    input,
    encoding: "utf8",
    cwd: "/",
    maxBuffer: 1 << 28,
  });
  return { stdout, stderr };
}

/** What that user can reach below a directory, by looking around and by paths that somebody told. */
export function reachedByStranger(directory: string): readonly string[] {
  const all = spawnSync("find", [directory, "-mindepth", "1", "-print0"], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (all.stdout === "") throw new Error(`there is nothing in ${directory}`);
  const found = asStranger(["find", directory, "-mindepth", "1"]).stdout;
  const told = asStranger(["xargs", "-0", "stat", "-c", "%n"], all.stdout).stdout;
  return [...new Set(`${found}${told}`.split("\n").filter((line) => line !== ""))].toSorted();
}
