import { UsageError } from "../base/usage-error.ts";
import type { CommandSpec } from "./command.ts";

/** All that a command line can begin with. */
export class CommandTable {
  readonly commands: readonly CommandSpec[];
  /** Commands that mean in a group of docker's what they mean nowhere else; their names are two words. */
  readonly groupedCommands: readonly CommandSpec[];
  /** docker's groups, and what their members are called here. */
  readonly groups: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Members of docker's groups that tsbuild has not, and what helps in their place. */
  readonly missingMembers: ReadonlyMap<string, string>;
  /** Commands of docker that tsbuild has not: refused by name. */
  readonly missingCommands: readonly string[];

  constructor(
    parts: Pick<CommandTable, "commands" | "groupedCommands" | "groups" | "missingMembers" | "missingCommands">,
  ) {
    this.commands = parts.commands;
    this.groupedCommands = parts.groupedCommands;
    this.groups = parts.groups;
    this.missingMembers = parts.missingMembers;
    this.missingCommands = parts.missingCommands;
  }

  /** Those of groups too. */
  get all(): readonly CommandSpec[] {
    return [...this.commands, ...this.groupedCommands];
  }

  /** The command of that name or alias. */
  find(name: string): CommandSpec | undefined {
    return this.commands.find((command) => command.name === name || command.aliases?.includes(name) === true);
  }

  /** The command of that name, which may be two words. @throws E_USAGE */
  named(name: string): CommandSpec {
    const command = this.find(name) ?? this.groupedCommands.find((one) => one.name === name);
    if (command === undefined) throw new UsageError(`Unknown command ${name}`, { hint: "tsbuild --help" });
    return command;
  }
}
