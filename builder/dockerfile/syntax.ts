/**
 * Whether a frontend that `# syntax=` or BUILDKIT_SYNTAX names is what this parser is: any version of docker/dockerfile,
 * stable, labs or upstream, or BuildKit's built-in `dockerfile.v0`. What follows the name is the frontend's command line.
 */
export function isOwnSyntax(value: string): boolean {
  const [name = ""] = value.trim().split(" ", 1);
  return (
    name === "dockerfile.v0" ||
    /^(?:(?:index\.)?docker\.io\/)?docker\/dockerfile(?:-upstream)?(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$/.test(name)
  );
}
