import { reachFrom, type Reach } from "./address.ts";
import type { HttpAnswer } from "./client.ts";

/** A URL to be asked, and whose word it is. */
export interface Place {
  readonly url: string;
  /**
   * Whether all that led there is one origin (scheme, host and port). Only such a place is shown credentials, and only its
   * challenges are answered: who was left once does not get them back, for then another says what is asked there.
   */
  readonly home: boolean;
  readonly reach: Reach;
}

/** What the user named. */
export function namedPlace(url: string): Place {
  return { url, home: true, reach: "anywhere" };
}

/** Where an answer of a place leads. */
export function leadTo(url: string, from: Place, { nearness }: Pick<HttpAnswer, "nearness">): Place {
  const home = from.home && new URL(url).origin === new URL(from.url).origin;
  return { url, home, reach: home ? from.reach : reachFrom(nearness) };
}

/** What is asked, and by what rules a redirect is followed. */
export interface Following {
  readonly ask: (place: Place) => Promise<HttpAnswer>;
  /** The URL of a Location. @throws where it may not be followed */
  readonly target: (location: string, from: string) => string;
  readonly limit: number;
}

/** The answer at the end of all redirects, and the place that gave it; undefined: there are too many. */
export async function follow(
  first: Place,
  { ask, target, limit }: Following,
): Promise<{ readonly answer: HttpAnswer; readonly place: Place } | undefined> {
  let place = first;
  for (let count = 0; count <= limit; count++) {
    const answer = await ask(place);
    const location = answer.header("location");
    if (!isRedirect(answer.status) || location === undefined) return { answer, place };
    await answer.discard();
    place = leadTo(target(location, place.url), place, answer);
  }
  return undefined;
}

/** Whether an answer sends the request elsewhere, if it also says where. */
export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}
