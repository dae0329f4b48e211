/** How a CI service is told that lines belong together and may be folded away. */
export interface Folding {
  /** The line that begins a fold; `id` is unique in the log, `time` ms since the epoch. */
  open(title: string, id: number, time: number): string;
  close(title: string, id: number, time: number): string;
}

/** Services whose folds are known. */
export type CiService = "github" | "gitlab" | "buildkite" | "teamcity";

/** The service that the environment says this is. */
export function ciService(env: Readonly<Record<string, string | undefined>>): CiService | undefined {
  if (env["GITHUB_ACTIONS"] === "true") return "github";
  if (env["GITLAB_CI"] === "true") return "gitlab";
  if (env["BUILDKITE"] === "true") return "buildkite";
  return (env["TEAMCITY_VERSION"] ?? "") === "" ? undefined : "teamcity";
}

const seconds = (time: number): number => Math.floor(time / 1000);

/** @see GitHub's workflow commands, GitLab's custom collapsible sections, Buildkite's log output, TeamCity's service messages */
export const foldings: Readonly<Record<CiService, Folding>> = {
  github: {
    open: (title) => `::group::${title}\n`,
    close: () => "::endgroup::\n",
  },
  gitlab: {
    open: (title, id, time) =>
      `\u001b[0Ksection_start:${seconds(time)}:tsbuild_${id}[collapsed=true]\r\u001b[0K${title}\n`,
    close: (_, id, time) => `\u001b[0Ksection_end:${seconds(time)}:tsbuild_${id}\r\u001b[0K\n`,
  },
  buildkite: {
    open: (title) => `--- ${title}\n`,
    close: () => "",
  },
  teamcity: {
    open: (title) => `##teamcity[blockOpened name='${teamcity(title)}']\n`,
    close: (title) => `##teamcity[blockClosed name='${teamcity(title)}']\n`,
  },
};

function teamcity(text: string): string {
  return text
    .replace(/['|[\]]/g, "|$&")
    .replace(/[^\u0000-\u007f]/g, (char) => `|0x${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
