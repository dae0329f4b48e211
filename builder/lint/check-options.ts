/** What `# check=` or BUILDKIT_DOCKERFILE_CHECK says. */
export interface CheckConfig {
  readonly skipAll: boolean;
  readonly skip: ReadonlySet<string>;
  readonly experimentalAll: boolean;
  readonly experimental: ReadonlySet<string>;
  /** Warnings fail the build. */
  readonly error: boolean;
}

/** Nothing said: all rules that are not experimental. */
export const allRules: CheckConfig = {
  skipAll: false,
  skip: new Set(),
  experimentalAll: false,
  experimental: new Set(),
  error: false,
};

const truths = ["1", "t", "T", "TRUE", "true", "True"];
const untruths = ["0", "f", "F", "FALSE", "false", "False"];

/** `skip=A,B|all;error=true;experimental=A,B|all`; a string says what is wrong. @see BuildKit's linter.ParseLintOptions */
export function parseCheckOptions(text: string): CheckConfig | string {
  let config = allRules;
  if (text.trim() === "") return config;
  // As BuildKit: a third semicolon is part of the last value.
  const [first = "", second, ...rest] = text.trim().split(";");
  for (const part of [first, ...(second === undefined ? [] : [second]), ...(rest.length > 0 ? [rest.join(";")] : [])]) {
    const equals = part.indexOf("=");
    const key = part.slice(0, Math.max(0, equals)).trim();
    const value = part.slice(equals + 1).trim();
    if (equals < 0) return `${JSON.stringify(part)} is no option: it has no =`;
    if (key === "skip") config = { ...config, ...(value === "all" ? { skipAll: true } : { skip: names(value) }) };
    else if (key === "experimental")
      config = { ...config, ...(value === "all" ? { experimentalAll: true } : { experimental: names(value) }) };
    else if (key !== "error") return `there is no option ${JSON.stringify(key)}`;
    else if (![...truths, ...untruths].includes(value)) return `error=${value} is neither true nor false`;
    else config = { ...config, error: truths.includes(value) };
  }
  return config;
}

function names(list: string): ReadonlySet<string> {
  return new Set(list.split(",").map((name) => name.trim()));
}

/** The value of a directive counts up to its first space; what follows may say why. */
export function directiveOptions(value: string): string {
  return value.split(" ", 1)[0] ?? "";
}

/** What the first `# check=` directly above an instruction says. */
export function commentOptions(comments: readonly string[]): string | undefined {
  for (const comment of comments) {
    const value = /^check\s*=\s*(\S.*)$/i.exec(comment)?.[1];
    if (value !== undefined) return directiveOptions(value);
  }
  return undefined;
}

/**
 * The rules for one instruction: those of the file without what the first `# check=` directly above it skips, and with
 * the experimental ones that it names. One that cannot be read does nothing. @see BuildKit's WithMergedConfigFromComments
 */
export function withComments(config: CheckConfig, comments: readonly string[]): CheckConfig {
  const options = commentOptions(comments);
  const own = options === undefined ? undefined : parseCheckOptions(options);
  if (own === undefined || typeof own === "string") return config;
  return {
    skipAll: config.skipAll || own.skipAll,
    skip: config.skip.union(own.skip),
    experimentalAll: config.experimentalAll || own.experimentalAll,
    experimental: config.experimental.union(own.experimental),
    error: config.error,
  };
}

/** Whether a rule is on. What is experimental cannot be skipped, only left out. */
export function isOn(
  config: CheckConfig,
  { name, experimental }: { readonly name: string; readonly experimental?: true },
): boolean {
  if (experimental === true) return config.experimentalAll || config.experimental.has(name);
  return !config.skipAll && !config.skip.has(name);
}
