import type { RunCommand } from "../../shell/run-commands.ts";
import { actionOf, aptAction, pipAction, type Action } from "./action.ts";

interface CachingTool {
  readonly actions: readonly string[];
  /** Of root's, in the official images. */
  readonly paths: readonly string[];
}

const tools: Readonly<Record<string, CachingTool>> = {
  go: { actions: ["build", "install", "test", "mod"], paths: ["/root/.cache/go-build", "/go/pkg/mod"] },
  cargo: { actions: ["build", "install", "test", "fetch"], paths: ["/usr/local/cargo/registry"] },
  npm: { actions: ["ci", "install", "i"], paths: ["/root/.npm"] },
  pnpm: { actions: ["install", "i", "fetch"], paths: ["/root/.local/share/pnpm/store"] },
  mvn: { actions: ["package", "install", "verify", "compile"], paths: ["/root/.m2"] },
  gradle: { actions: ["build", "assemble"], paths: ["/root/.gradle"] },
  dotnet: { actions: ["restore", "build", "publish"], paths: ["/root/.nuget/packages"] },
};

/** Where a command keeps what it would be faster with the next time. */
export function cacheDirectories(
  command: RunCommand,
): { readonly action: Action; readonly paths: readonly string[] } | undefined {
  const apt = aptAction(command);
  if (apt?.name === "install") return { action: apt, paths: ["/var/cache/apt", "/var/lib/apt"] };
  const pip = pipAction(command);
  if (pip?.name === "install") return { action: pip, paths: ["/root/.cache/pip"] };
  const tool = Object.hasOwn(tools, command.name) ? tools[command.name] : undefined;
  const action = actionOf(command);
  return tool?.actions.includes(action.name) === true ? { action, paths: tool.paths } : undefined;
}
