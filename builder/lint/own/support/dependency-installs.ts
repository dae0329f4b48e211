import type { RunCommand } from "../../shell/run-commands.ts";
import { actionOf, npmInstallOf, pipAction } from "./action.ts";

/** A command that installs what a few files name. `shown`: as it is told, `count`: how many arguments that is. */
export interface DependencyInstall {
  readonly shown: string;
  readonly count: number;
  readonly files: string;
}

/** By program and action: the files that they read. An action of "" is the program alone. */
const plain: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  yarn: { "": "package.json and yarn.lock", install: "package.json and yarn.lock" },
  pnpm: { install: "package.json and pnpm-lock.yaml", i: "package.json and pnpm-lock.yaml", fetch: "pnpm-lock.yaml" },
  bun: { install: "package.json and bun.lock" },
  bundle: { "": "Gemfile and Gemfile.lock", install: "Gemfile and Gemfile.lock" },
  mvn: { "dependency:go-offline": "pom.xml", "dependency:resolve": "pom.xml" },
  cargo: { fetch: "Cargo.toml and Cargo.lock" },
  pipenv: { install: "Pipfile and Pipfile.lock", sync: "Pipfile.lock" },
  mix: { "deps.get": "mix.exs and mix.lock" },
};

/** What a command installs of what is written down, and no file of the program itself is needed for. */
export function dependencyInstall(command: RunCommand): DependencyInstall | undefined {
  const { name, args } = command;
  const npm = npmInstallOf(command);
  if (npm !== undefined) return found(`npm ${npm.name}`, npm.count, "package.json and package-lock.json");
  const pip = pipAction(command);
  if (pip?.name === "install") return requirements(command, pip.count);
  const action = actionOf(command);
  if (name === "go" && action.name === "mod" && action.operands[0] === "download")
    return found("go mod download", args.indexOf("download") + 1, "go.mod and go.sum");
  if (args.some((arg) => /^(?:-v|-h|--version|--help)$/.test(arg))) return undefined;
  const table = Object.hasOwn(plain, name) ? plain[name] : undefined;
  if (table === undefined || action.operands.length > 0 || !Object.hasOwn(table, action.name)) return undefined;
  return found(`${name} ${action.name}`.trim(), action.count, table[action.name] ?? "");
}

/** pip with lists of packages alone. */
function requirements({ name, args }: RunCommand, count: number): DependencyInstall | undefined {
  const at = args.findIndex((arg) => /^(?:-r|--requirement(?:=.*)?)$/.test(arg));
  const file = args[at]?.includes("=") === true ? args[at]?.split("=", 2)[1] : args[at + 1];
  const local = args.some((arg) => /^(?:\.|-e$|--editable)/.test(arg) && arg !== file);
  if (at < 0 || file === undefined || local) return undefined;
  return found(`${name} install`, count, file);
}

function found(shown: string, count: number, files: string): DependencyInstall {
  return { shown, count, files };
}
