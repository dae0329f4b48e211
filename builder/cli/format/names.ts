/** The name as people write it: `docker.io/library/app:latest` -> `app:latest`. */
export function familiarName(name: string): string {
  return name.replace(/^docker\.io\/(?:library\/(?=[^/]+$))?/, "");
}

/** Repository and tag of a normalised name; a digest reference has the tag `<none>`. */
export function splitName(name: string): { readonly repository: string; readonly tag: string } {
  const bare = familiarName(name).replace(/@.*$/, "");
  const colon = bare.indexOf(":", bare.lastIndexOf("/") + 1);
  if (colon < 0) return { repository: bare, tag: "<none>" };
  return { repository: bare.slice(0, colon), tag: bare.slice(colon + 1) };
}
