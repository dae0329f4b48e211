export declare function userCache(
  env: Readonly<Record<string, string | undefined>>,
  name: "modules" | "code",
): string | undefined;
