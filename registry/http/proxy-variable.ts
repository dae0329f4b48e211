export type Environment = Readonly<Record<string, string>>;

/** A variable in capitals, or else in small letters; an empty one counts as none. */
export function variableOf(
  env: Environment,
  name: string,
): { readonly name: string; readonly value: string } | undefined {
  for (const one of [name, name.toLowerCase()]) {
    const value = env[one] ?? "";
    if (value !== "") return { name: one, value };
  }
  return undefined;
}

/** Its value, as it is. */
export function proxyVariable(env: Environment, name: string): string | undefined {
  return variableOf(env, name)?.value;
}

/** The variable that the proxy of a URL is in. */
export function variableFor({ protocol }: Pick<URL, "protocol">): string {
  return protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
}
