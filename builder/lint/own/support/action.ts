import type { RunCommand } from "../../shell/run-commands.ts";

/** `install` of `apt-get -y install curl`, and what follows it without options. */
export interface Action {
  readonly name: string;
  readonly operands: readonly string[];
  /** How many arguments of the command there are up to the action. */
  readonly count: number;
}

const npmScope: ReadonlySet<string> = new Set(["-g", "--global", "--location=global"]);
const apt: ReadonlySet<string> = new Set(["apt-get", "apt", "aptitude"]);
/** Options of apt that take the next word. */
const aptValues: ReadonlySet<string> = new Set(
  "-o --option -t --target-release --default-release -c --config-file -a --host-architecture".split(" "),
);

/** The first argument that is no option. `values`: the options that take the next word. */
export function actionOf({ args }: RunCommand, values: ReadonlySet<string> = new Set()): Action {
  const plain: { readonly text: string; readonly at: number }[] = [];
  for (let at = 0; at < args.length; at++) {
    const text = args[at] ?? "";
    if (values.has(text)) at++;
    else if (!text.startsWith("-")) plain.push({ text, at });
  }
  const [first, ...rest] = plain;
  return { name: first?.text ?? "", operands: rest.map(({ text }) => text), count: (first?.at ?? -1) + 1 };
}

/** What apt is asked for. */
export function aptAction(command: RunCommand): Action | undefined {
  return apt.has(command.name) ? actionOf(command, aptValues) : undefined;
}

/** `pip install`, also as `python -m pip install`. */
export function pipAction(command: RunCommand): Action | undefined {
  const { name, args } = command;
  if (/^pip[\d.]*$/.test(name)) return actionOf(command);
  const module = /^python[\d.]*$/.test(name) ? args.indexOf("-m") : -1;
  if (module < 0 || args[module + 1] !== "pip") return undefined;
  const action = actionOf({ ...command, args: args.slice(module + 2) });
  return { ...action, count: action.count + module + 2 };
}

/** `npm ci` or an `npm install` of what package.json names. */
export function npmInstallOf(command: RunCommand): Action | undefined {
  if (command.name !== "npm") return undefined;
  const action = actionOf(command);
  if (!["ci", "clean-install", "install", "i"].includes(action.name) || action.operands.length > 0) return undefined;
  return command.args.some((arg) => npmScope.has(arg)) ? undefined : action;
}
