/** What a comment above FROM or ARG says of a name: `# NAME what it is for`. The first one counts. */
export function description(comments: readonly string[], name: string | undefined): string {
  const line = name === undefined ? undefined : comments.find((comment) => comment.startsWith(`${name} `));
  return line === undefined || name === undefined ? "" : line.slice(name.length + 1);
}
