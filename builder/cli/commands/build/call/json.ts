import type { SourceLocation } from "../../../../base/location.ts";
import type { CheckResult, CheckWarning } from "../../../../engine/subrequest/check.ts";
import { lineRanges } from "../../../../engine/subrequest/line-ranges.ts";
import type { Outline } from "../../../../engine/subrequest/outline.ts";
import type { TargetList } from "../../../../engine/subrequest/targets.ts";

/** BuildKit's LintResults; `ownWarnings` and `notes` are our own addition. */
export function checkJson({ file, source, warnings, own, error, notes }: CheckResult): object {
  return {
    warnings: warnings.map(warningJson),
    sources: [{ filename: file, data: base64(source), language: "Dockerfile" }],
    ...(error === undefined ? {} : { buildError: { message: error.message, location: place(error.location) } }),
    ...(own.length === 0 ? {} : { ownWarnings: own.map(ownJson) }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

/** BuildKit's Outline. */
export function outlineJson({ source, name, description, args, secrets, ssh, caches }: Outline): object {
  return {
    ...filled({ name, description }),
    ...filled({
      args: args.map((arg) => ({
        name: arg.name,
        ...filled({ description: arg.description, value: arg.value }),
        location: place(arg.location),
      })),
      secrets: secrets.map(mountJson),
      ssh: ssh.map(mountJson),
      cache: caches.map(({ id, location }) => ({ ID: id, location: place(location) })),
    }),
    sources: [base64(source)],
  };
}

/** BuildKit's targets.List. */
export function targetsJson({ source, targets }: TargetList): object {
  return {
    targets: targets.map(({ name, isDefault, description, base, platform = "", location }) => ({
      ...filled({ name }),
      ...(isDefault ? { default: true } : {}),
      ...filled({ description, base, platform }),
      location: place(location),
    })),
    sources: [base64(source)],
  };
}

function warningJson({ rule, description, url, message, location }: CheckWarning): object {
  return {
    ruleName: rule,
    description,
    ...(url === undefined ? {} : { url }),
    detail: message,
    location: place(location),
  };
}

function ownJson(warning: CheckWarning): object {
  return { ...warningJson(warning), ...(warning.hint === undefined ? {} : { hint: warning.hint }) };
}

function mountJson({ name, required, location }: Outline["secrets"][number]): object {
  return { name, ...(required ? { required } : {}), location: place(location) };
}

/** pb.Location of the only source. */
function place(location: SourceLocation): object {
  return { ranges: lineRanges(location) };
}

/** Without what is empty, as Go's omitempty. */
function filled(fields: Readonly<Record<string, string | readonly object[]>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value.length > 0));
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
