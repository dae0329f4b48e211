import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeTemp } from "../../rig/temp.ts";

const native = join(import.meta.dirname, "../../../native");

/** Asks a copy of native/ for the executable, with this PATH. */
function ask(
  directory: string,
  path: string,
): { readonly code: string; readonly notes: string; readonly hint: string } {
  const source = `
    import { initExecutable } from ${JSON.stringify(join(directory, "native/executable.ts"))};
    try { initExecutable(); console.log(JSON.stringify({ code: "", notes: "", hint: "" })) }
    catch ({ code, notes, hint }) { console.log(JSON.stringify({ code, notes: String(notes), hint })) }`;
  const options = { encoding: "utf8", env: { PATH: path } } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source], options);
  if (stdout === "") throw new Error(stderr);
  const { code, notes, hint } = JSON.parse(stdout);
  return { code: String(code), notes: String(notes), hint: String(hint) };
}

describe("initExecutable()", () => {
  it("builds the executable on first use and again when a source is newer, and says what to install without cc", () => {
    using temp = makeTemp();
    cpSync(native, join(temp.path, "native"), { recursive: true, filter: (from) => !from.endsWith("/build") });
    symlinkSync(join(native, "../node_modules"), join(temp.path, "node_modules"));
    writeFileSync(join(temp.path, "package.json"), '{"type":"module"}');
    const built = join(temp.path, "native/build/tsbuild-init");
    const empty = join(temp.path, "empty");
    mkdirSync(empty);
    expect(ask(temp.path, empty)).toMatchObject({
      code: "E_NATIVE_MISSING",
      hint: expect.stringContaining("apt-get install gcc"),
    });
    expect(existsSync(built)).toBe(false);
    expect(ask(temp.path, "/usr/bin:/bin").code).toBe("");
    const before = readFileSync(built);
    expect(ask(temp.path, empty).code).toBe("");
    // A compiler that says why it failed is quoted.
    writeFileSync(join(empty, "cc"), "#!/bin/sh\necho 'cannot find -lc' >&2; exit 1\n");
    chmodSync(join(empty, "cc"), 0o755);
    utimesSync(join(temp.path, "native/init/main.c"), Date.now(), Date.now() / 1000 + 100);
    const refused = ask(temp.path, `${empty}:/usr/bin:/bin`);
    expect(refused.code).toBe("E_NATIVE_MISSING");
    expect(refused.notes).toContain("cannot find -lc");
    expect(readFileSync(built)).toEqual(before);
  });
});
