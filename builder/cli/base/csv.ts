import { UsageError } from "./usage-error.ts";

/** `type=image,"name=a,b",push=true` as pairs; a field without `=` has the value undefined. @throws E_USAGE */
export function parseCsv(text: string, flag: string): readonly (readonly [string, string | undefined])[] {
  return fields(text, flag).map((field) => {
    const equals = field.indexOf("=");
    return equals < 0 ? [field, undefined] : [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
  });
}

function fields(text: string, flag: string): readonly string[] {
  const out: string[] = [];
  let at = 0;
  while (at <= text.length) {
    if (text[at] === '"') {
      const end = closingQuote(text, at, flag);
      out.push(text.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 2;
      continue;
    }
    const comma = text.indexOf(",", at);
    const end = comma < 0 ? text.length : comma;
    out.push(text.slice(at, end));
    at = end + 1;
  }
  return out;
}

function closingQuote(text: string, open: number, flag: string): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] !== '"') continue;
    if (text[at + 1] === '"') at++;
    else if (at + 1 === text.length || text[at + 1] === ",") return at;
    else break;
  }
  throw new UsageError(`Flag ${flag} has a broken quote: ${text}`, { hint: `${flag} 'type=image,"name=a,b"'` });
}
