/** One line of comma separated values as Go's encoding/csv reads it: `a,"b,c"`. A string says what is wrong with it. */
export function csvFields(text: string): readonly string[] | string {
  const fields: string[] = [];
  for (let at = 0; at <= text.length; at++) {
    if (text[at] === '"') {
      const end = closingQuote(text, at);
      if (end === undefined) return "a quote is not closed, or something other than a comma follows it";
      fields.push(text.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 1;
      continue;
    }
    const comma = text.indexOf(",", at);
    const end = comma < 0 ? text.length : comma;
    const field = text.slice(at, end);
    if (field.includes('"')) return `a quote stands within ${field}`;
    fields.push(field);
    at = end;
  }
  return fields;
}

/** The quote that ends the field, which a comma or the end of the text follows. */
function closingQuote(text: string, open: number): number | undefined {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] !== '"') continue;
    if (text[at + 1] !== '"') return at + 1 === text.length || text[at + 1] === "," ? at : undefined;
    at++;
  }
  return undefined;
}

/** The fields as one line, quoted where they have to be. */
export function csvText(fields: readonly string[]): string {
  return fields.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}
