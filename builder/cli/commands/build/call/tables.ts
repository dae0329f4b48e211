import type { Outline } from "../../../../engine/subrequest/outline.ts";
import type { TargetList } from "../../../../engine/subrequest/targets.ts";
import { displayWidth, printable } from "../../../base/text.ts";

/** What buildx prints of an outline; the table of caches is our own addition. */
export function outlineText({ name, description, args, secrets, ssh, caches }: Outline): string {
  const title = [
    ["TARGET:", name === "" ? "(default)" : name],
    ...(description === "" ? [] : [["DESCRIPTION:", description]]),
  ];
  const mounts = (head: string, list: Outline["secrets"]): string =>
    table(
      [head, "REQUIRED"],
      list.map((one) => [one.name, one.required ? "true" : ""]),
    );
  return [
    name === "" && description === "" ? "" : `${tabulate(title, 1)}\n`,
    table(
      ["BUILD ARG", "VALUE", "DESCRIPTION"],
      args.map((arg) => [arg.name, arg.value, arg.description]),
    ),
    mounts("SECRET", secrets),
    mounts("SSH", ssh),
    table(
      ["CACHE MOUNT"],
      caches.map(({ id }) => [id]),
    ),
  ].join("");
}

/** What buildx prints of the stages. */
export function targetsText({ targets }: TargetList): string {
  const rows = targets.map(({ name, isDefault, description }) => {
    const marked = isDefault ? `${name} (default)`.trimStart() : name;
    return [marked, description];
  });
  return tabulate([["TARGET", "DESCRIPTION"], ...rows], 1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? "" : `${tabulate([head, ...rows], 3)}\n`;
}

/** Columns as Go's tabwriter makes them: each as wide as its widest cell and `padding`, the last as it is. */
function tabulate(rows: readonly (readonly string[])[], padding: number): string {
  const cells = rows.map((row) => row.map(printable));
  const columns = Math.max(...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(...cells.map((row) => displayWidth(row[at] ?? ""))),
  );
  const pad = (cell: string, at: number): string =>
    at + 1 === columns ? cell : cell + " ".repeat((widths[at] ?? 0) + padding - displayWidth(cell));
  return cells.map((row) => `${row.map(pad).join("")}\n`).join("");
}
