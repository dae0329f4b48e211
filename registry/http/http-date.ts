const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const [long, short] = [days.join("|"), days.map((day) => day.slice(0, 3)).join("|")];
const month = `(?<month>${months.join("|")})`;
const clock = "(?<hour>\\d{1,2}):(?<minute>\\d\\d):(?<second>\\d\\d)(?:[.,](?<fraction>\\d+))?";
/** A name that Go takes for a time zone: what it is counts for nothing, the time is UTC. */
const zone = "(?:[A-Z]{3}|[A-Z]{3,4}T|WITA|ChST|MeST|GMT[+-]0*(?:1?\\d|2[0-3])|[+-]0*(?:1?\\d|2[0-3]))$";
/** @see RFC 9110 5.6.7, and Go's http.ParseTime, which is more lenient. */
const forms: readonly RegExp[] = [
  new RegExp(`^(?:${short}), +(?<day>\\d\\d) +${month} +(?<year>\\d{4}) +${clock} +(?-i:GMT)$`, "i"),
  new RegExp(`^(?:${long}), +(?<day>\\d\\d)-${month}-(?<year>\\d\\d) +${clock} +(?-i:${zone})`, "i"),
  new RegExp(`^(?:${short}) +${month} +(?<day>\\d{1,2}) +${clock} +(?<year>\\d{4})$`, "i"),
];

/** Milliseconds since the epoch of an HTTP date in one of its three forms; undefined: it is none, as Go reads it. */
export function httpDate(text: string | undefined): number | undefined {
  const groups =
    text === undefined ? undefined : forms.map((form) => form.exec(text)).find((one) => one !== null)?.groups;
  if (groups === undefined) return undefined;
  const number = (name: string): number => Number(groups[name]);
  const at = { month: months.indexOf((groups["month"] ?? "").toLowerCase()), day: number("day"), hour: number("hour") };
  const year = fullYear(groups["year"] ?? "");
  if (at.hour > 23 || number("minute") > 59 || number("second") > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, at.month, at.day);
  // A day that the month has not is one of the next month.
  if (date.getUTCMonth() !== at.month || date.getUTCDate() !== at.day) return undefined;
  const milliseconds = Math.floor(Number(`0.${groups["fraction"] ?? 0}`) * 1000);
  return date.setUTCHours(at.hour, number("minute"), number("second"), milliseconds);
}

/** Of two digits those up to 68 are of this century. */
function fullYear(text: string): number {
  const year = Number(text);
  return text.length > 2 ? year : year + (year >= 69 ? 1900 : 2000);
}
