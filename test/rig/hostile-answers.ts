import { gzipSync } from "node:zlib";
import { manifestType, type Answer, type Answers } from "./hostile-registry.ts";

/** An answer that is all there. */
export function status(
  code: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = "",
): Answer {
  return ({ response }) => void response.writeHead(code, headers).end(body);
}

/** Nothing is said any more. */
export const silent: Answer = () => undefined;

/** The head of an answer, some bytes, and then nothing. */
export function stalled(bytes: number, code = 200): Answer {
  return ({ response, bytes: all }) => {
    response.writeHead(code, { "content-type": manifestType, "content-length": Math.max(all.length, 100) });
    response.flushHeaders();
    if (bytes > 0) response.write(all.subarray(0, bytes));
  };
}

/** A byte now and then, for as long as anybody listens. */
export const dripping: Answer = ({ response, bytes }) => {
  response.writeHead(200, { "content-type": manifestType, "content-length": bytes.length });
  let at = 0;
  const timer = setInterval(() => response.write(bytes.subarray(at, ++at)), 20);
  response.on("close", () => clearInterval(timer));
};

/** Headers without end, written past Node's own. */
export const drippingHeaders: Answer = ({ request: { socket } }) => {
  socket.write("HTTP/1.1 200 OK\r\n");
  const timer = setInterval(() => socket.write("x"), 20);
  socket.on("close", () => clearInterval(timer)).on("error", () => undefined);
};

/** Answers that announce another one, without end. */
export function announcing(line: string): Answer {
  return ({ request: { socket } }) => {
    const timer = setInterval(() => socket.write(`HTTP/1.1 ${line}\r\n\r\n`), 20);
    socket.on("close", () => clearInterval(timer)).on("error", () => undefined);
  };
}

/** What is no answer. */
export function raw(text: string): Answer {
  return ({ request }) => void request.socket.end(text);
}

/** Bytes whose number is not said before. */
export function chunked(change: (bytes: Buffer) => Buffer, type: string = manifestType): Answer {
  return ({ response, bytes }) => {
    response.writeHead(200, { "content-type": type });
    response.flushHeaders();
    response.end(change(bytes));
  };
}

export function endless(type: string): Answer {
  return ({ response }) => {
    response.writeHead(200, { "content-type": type });
    const more = (): void => void response.write(Buffer.alloc(1 << 16, " "), more);
    response.on("error", () => undefined);
    more();
  };
}

/** The first answer breaks off, the others are as said. */
export function brokenOnce(bytes: number, then: Answer): Answer {
  return (asked) => {
    if (asked.before > 0) return then(asked);
    asked.response.writeHead(200, { "content-length": asked.bytes.length });
    asked.response.write(asked.bytes.subarray(0, bytes), () => asked.response.destroy());
  };
}

/** From a place on, whatever was asked for. */
export function partFrom(start: number, change: (bytes: Buffer) => Buffer = (bytes) => bytes): Answer {
  return ({ response, bytes }) => {
    const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(206, { "content-range": range }).end(change(bytes.subarray(start)));
  };
}

export const gzipped: Answer = ({ response, bytes }) =>
  void response.writeHead(200, { "content-type": manifestType, "content-encoding": "gzip" }).end(gzipSync(bytes));

/** Asks for a token, and takes none. */
export function challenge(realm = "/token"): Answer {
  return ({ request, response }) => {
    const { href } = new URL(realm, `http://${request.headers.host}`);
    response.writeHead(401, { "www-authenticate": `Bearer realm="${href}"` }).end();
  };
}

/** A token service that answers so. */
export function tokens(answer: Answer): Answers {
  return { manifest: challenge(), token: answer };
}
