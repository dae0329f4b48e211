import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Credentials } from "../../../../registry/index.ts";
import type { Invocation } from "../../flags/command.ts";
import { engineOptions } from "../../flags/engine-options.ts";
import { Prompt } from "../../terminal/prompt.ts";
import { hostOfKey, serverKey } from "../../base/server-name.ts";
import { printable } from "../../base/text.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild login`: credentials are checked with the registry before they are kept, and never printed. */
export async function execute(invocation: Invocation): Promise<number> {
  const { operands, out, signal, config, flags, warn } = invocation;
  const key = serverKey(operands[0]);
  const file = loginFile(invocation);
  const { checkLogin, findCredentials, keepCredentials } = await import("../../../../registry/index.ts");
  // The file that is written need not be there yet.
  const { registry } = engineOptions(invocation);
  const options = { ...registry, credentials: config.credentials };
  const credentials = await given(invocation);
  await checkLogin({ host: hostOfKey(key), credentials, signal }, options);
  const kept = await keepCredentials(key, credentials, { file, env: config.env });
  out.result("Login Succeeded\n");
  const where = kept.kind === "file" ? `${kept.file}, unencrypted` : kept.program;
  out.notice(`credentials of ${key} are in ${printable(where)}\n`);
  if (flags.has("authfile")) return 0;
  const [host, path] = [hostOfKey(key), key.split("/").slice(1).join("/")];
  const { from } = await findCredentials(host, path, options);
  if (from !== undefined && from !== file) {
    warn({
      code: "W_LOGIN_SHADOWED",
      message: `${from} has other credentials of ${key}, and comes first`,
      hint: `tsbuild logout --authfile ${from} ${key}`,
    });
  }
  return 0;
}

/** The file that a login writes and a logout clears. */
export function loginFile({ flags, config }: Invocation): string {
  const named = flags.string("authfile");
  return named === undefined ? config.loginFile : resolve(config.cwd, named);
}

/** User and password of flags, standard input or the terminal. @throws E_USAGE, E_NOT_A_TERMINAL */
async function given({ flags, out }: Invocation): Promise<Credentials> {
  const fromStdin = flags.bool("password-stdin");
  const word = flags.string("password");
  if (fromStdin && word !== undefined) {
    throw new UsageError("Cannot use --password together with --password-stdin", { hint: "leave out --password" });
  }
  const user = flags.string("username");
  if (user === undefined && (fromStdin || word !== undefined)) {
    throw new UsageError("Cannot log in: there is a password and no user", {
      hint: "tsbuild login -u USER --password-stdin",
    });
  }
  const { username, password } =
    user !== undefined && (word !== undefined || fromStdin)
      ? { username: user, password: word ?? stdinPassword() }
      : await typed(user, out);
  if (username === "" || password === "")
    throw new UsageError("Cannot log in without user and password", { hint: "tsbuild login -u USER REGISTRY" });
  return username === "<token>" ? { kind: "identity", token: password } : { kind: "basic", username, password };
}

async function typed(
  user: string | undefined,
  out: Invocation["out"],
): Promise<{ readonly username: string; readonly password: string }> {
  using prompt = new Prompt(out);
  const username = user ?? (await prompt.ask("Username")).trim();
  return { username, password: await prompt.ask("Password", true) };
}

/** All of standard input without the end of its last line. */
function stdinPassword(): string {
  return readFileSync(0, "utf8").replace(/\r?\n$/, "");
}
