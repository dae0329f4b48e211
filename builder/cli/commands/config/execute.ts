import { existsSync } from "node:fs";
import type { Invocation } from "../../flags/command.ts";
import { effectiveSettings, type EffectiveSetting } from "./report.ts";
import { formatRows } from "../../format/output.ts";
import { closest } from "../../base/suggest.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild config [NAME]`: what counts, and with --show-origin why. */
export async function execute({ flags, operands, config, out }: Invocation): Promise<number> {
  const settings = effectiveSettings(config, flags, existsSync);
  const format = flags.string("format");
  const [name] = operands;
  const rows = name === undefined ? settings : named(settings, name);
  if (name !== undefined && format === undefined && !flags.bool("show-origin")) {
    out.result(rows.map(({ Value }) => `${Value}\n`).join(""));
    return 0;
  }
  const columns = [
    { title: "NAME", field: "Name", cell: (row: EffectiveSetting) => row.Name },
    { title: "VALUE", field: "Value", cell: (row: EffectiveSetting) => row.Value },
    ...(flags.bool("show-origin")
      ? [{ title: "ORIGIN", field: "Origin", cell: (row: EffectiveSetting) => row.Origin }]
      : []),
  ];
  out.result(formatRows(format, rows, columns));
  return 0;
}

function named(settings: readonly EffectiveSetting[], name: string): readonly EffectiveSetting[] {
  const found = settings.filter(({ Name }) => Name === name);
  if (found.length > 0) return found;
  const meant = closest(
    name,
    settings.map(({ Name }) => Name),
  );
  throw new UsageError(`There is no setting ${JSON.stringify(name)}`, {
    hint: meant === undefined ? "tsbuild config lists them" : `did you mean tsbuild config ${meant}?`,
  });
}
