import type { LanRules } from "./lan-rules.ts";

/** One row of docs/registry-requests.md. */
export interface RequestRow {
  /** What is asked, and what the servers say. */
  readonly given: string;
  /** What comes of it. */
  readonly sent: string;
  /** What skopeo 1.9 does otherwise. */
  readonly skopeo?: string;
  readonly rules: LanRules;
  /** Default: a pull of `reg.test:5000/app:1`. */
  readonly image?: string;
  readonly command?: "pull" | "push" | "add";
  /** The URL of an ADD. */
  readonly url?: string;
  /** docker's config; default: user and password of the registry. */
  readonly auths?: Readonly<Record<string, object>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  /** Who has a client's certificate. */
  readonly certificates?: readonly string[];
  /** Every server that is asked, with all that it is told in the order of the requests. */
  readonly told: Readonly<Record<string, string>>;
  /** The code of the error; default: it goes well. */
  readonly code?: string;
}

const user = "me:secret";
const basic = { auth: Buffer.from(user).toString("base64") };
/** As docker writes it. */
const identity = { auth: Buffer.from("me:").toString("base64"), identitytoken: "id" };
const plain = "http://reg.test:5000";
const cdn = "http://cdn.test/elsewhere";
const secure = "https://reg.test";
const proxied = { HTTP_PROXY: "http://p:word@proxy.test:3128" };
const both = { HTTPS_PROXY: "http://p:word@proxy.test:3128", ...proxied };
const twice = `nothing, ${user}`;

/** What is sent where, of credentials, redirects and proxies. */
export const requestRows: readonly RequestRow[] = [
  // Challenges.
  {
    given: "The registry asks for Basic",
    sent: "user and password to the registry",
    rules: { challenge: "basic" },
    told: { [plain]: twice },
  },
  {
    given: "The registry asks for a token of its own origin",
    sent: "user and password to `/token`, then the token",
    rules: { challenge: "bearer" },
    told: { [plain]: `nothing, ${user}, Bearer good` },
  },
  {
    given: "A registry of https asks for a token of another host, by https",
    sent: "user and password to that token service, the token to the registry",
    rules: { challenge: "bearer", realm: "https://auth.test/token" },
    image: "reg.test/app:1",
    told: { [secure]: "nothing, Bearer good", "https://auth.test": user },
  },
  {
    given: "A registry of http asks for a token of another host, by http",
    sent: "a question without user and password, the token to the registry",
    skopeo: "tells the token service user and password in the clear",
    rules: { challenge: "bearer", realm: "http://auth.test/token" },
    told: { [plain]: "nothing, Bearer good", "http://auth.test": "nothing" },
  },
  {
    given: "A registry of https asks for a token by http",
    sent: "nothing: that token service is not asked",
    skopeo: "tells the token service user and password in the clear",
    rules: { challenge: "bearer", realm: "http://auth.test/token" },
    image: "reg.test/app:1",
    told: { [secure]: "nothing" },
    code: "E_REGISTRY_AUTH",
  },
  {
    given: "The same with an identity token in the place of a password, by https",
    sent: "the identity token in a POST to the token service",
    rules: { challenge: "bearer", realm: "https://auth.test/token" },
    image: "reg.test/app:1",
    auths: { "reg.test": identity },
    told: { [secure]: "nothing, Bearer good", "https://auth.test": "refresh id" },
  },
  {
    given: "The token service leads an identity token to another host (307)",
    sent: "nothing there: the POST is not sent again",
    rules: { challenge: "bearer", realm: "https://auth.test/token", tokenLeads: "https://cdn.test" },
    image: "reg.test/app:1",
    auths: { "reg.test": identity },
    told: { [secure]: "nothing", "https://auth.test": "refresh id" },
    code: "E_REGISTRY_AUTH",
  },
  {
    given: "The token service leads to another host",
    sent: "nothing there: it is not asked",
    skopeo: "asks there without user and password, and takes that token",
    rules: { challenge: "bearer", realm: "https://auth.test/token", tokenLeads: "https://cdn.test" },
    image: "reg.test/app:1",
    told: { [secure]: "nothing", "https://auth.test": user },
    code: "E_REGISTRY_AUTH",
  },
  {
    given: "The token service leads to another path of its own",
    sent: "user and password there too",
    rules: { challenge: "bearer", realm: "https://auth.test/token", tokenLeads: "https://auth.test" },
    image: "reg.test/app:1",
    told: { [secure]: "nothing, Bearer good", "https://auth.test": user },
  },
  {
    given: "The token service answers 503 once",
    sent: "the same once more",
    skopeo: "ends with an error",
    rules: { challenge: "bearer", token: 503 },
    told: { [plain]: `nothing, ${user}, Bearer good` },
  },
  {
    given: "A registry of the network names a token service on 127.0.0.1",
    sent: "nothing: it is not asked",
    skopeo: "tells it user and password",
    rules: { challenge: "bearer", realm: "http://127.0.0.1/token" },
    told: { [plain]: "nothing" },
    code: "E_REGISTRY_AUTH",
  },
  {
    given: "... or by a name whose address is 127.0.0.1",
    sent: "nothing: there is no connection",
    skopeo: "tells it user and password",
    rules: { challenge: "bearer", realm: "https://trap.test/token" },
    image: "reg.test/app:1",
    told: { [secure]: "nothing" },
    code: "E_REGISTRY_REDIRECT",
  },
  {
    given: "A registry on this machine names a token service on this machine",
    sent: "user and password to the token service",
    rules: { challenge: "bearer", realm: "http://localhost/token" },
    image: "localhost:5000/app:1",
    told: { "http://localhost:5000": "nothing, Bearer good", "http://localhost": user },
  },
  {
    given: "A mirror of docker.io asks for Basic; there is a password for docker.io, and one for the mirror",
    sent: "the mirror's to the mirror",
    skopeo: "has no mirrors by an option",
    rules: { challenge: "basic" },
    image: "app:1",
    flags: ["--registry-mirror", "docker.io=http://reg.test:5000"],
    auths: {
      "https://index.docker.io/v1/": { auth: Buffer.from("hub:secret").toString("base64") },
      "reg.test:5000": basic,
    },
    told: { [plain]: twice },
  },
  {
    given: "... and there is none for the mirror",
    sent: "nothing but the question",
    skopeo: "has no mirrors by an option",
    rules: { challenge: "basic" },
    image: "app:1",
    flags: ["--registry-mirror", "docker.io=http://reg.test:5000"],
    auths: { "https://index.docker.io/v1/": { auth: Buffer.from("hub:secret").toString("base64") } },
    told: { [plain]: "nothing" },
    code: "E_REGISTRY_AUTH",
  },
  // Redirects.
  {
    given: "The registry leads a blob to another host",
    sent: "nothing but the question there",
    rules: { challenge: "basic", blob: cdn },
    told: { [plain]: twice, "http://cdn.test": "nothing" },
  },
  {
    given: "... which asks for Basic",
    sent: "no answer to that",
    rules: { challenge: "basic", blob: cdn, elsewhere: "basic" },
    told: { [plain]: twice, "http://cdn.test": "nothing" },
    code: "E_REGISTRY_STATUS",
  },
  {
    given: "... which asks for a token of its own",
    sent: "no answer to that, and its token service is not asked",
    rules: { challenge: "basic", blob: cdn, elsewhere: "bearer" },
    told: { [plain]: twice, "http://cdn.test": "nothing" },
    code: "E_REGISTRY_STATUS",
  },
  {
    given: "The registry leads a manifest to a host that asks for a token of its own",
    sent: "no answer to that, and its token service is not asked",
    rules: { challenge: "basic", manifest: cdn, elsewhere: "bearer" },
    told: { [plain]: twice, "http://cdn.test": "nothing" },
    code: "E_REGISTRY_STATUS",
  },
  {
    given: "The registry leads a blob to another port of its host",
    sent: "nothing but the question there",
    rules: { challenge: "basic", blob: "http://reg.test:5001/elsewhere" },
    told: { [plain]: twice, "http://reg.test:5001": "nothing" },
  },
  {
    given: "The registry leads a blob to another path of its own",
    sent: "user and password there too",
    rules: { challenge: "basic", blob: `${plain}/elsewhere` },
    told: { [plain]: twice },
  },
  {
    given: "The registry leads a blob to another host, which leads back",
    sent: "nothing on the way back",
    rules: { challenge: "basic", blob: cdn, onward: `${plain}/v2/app/blobs/back` },
    told: { [plain]: `${twice}, nothing`, "http://cdn.test": "nothing" },
    code: "E_REGISTRY_STATUS",
  },
  {
    given: "A registry of https leads a blob to http",
    sent: "nothing: that is refused",
    skopeo: "fetches it in the clear",
    rules: { blob: cdn },
    image: "reg.test/app:1",
    told: { [secure]: "nothing" },
    code: "E_REGISTRY_REDIRECT",
  },
  ...(
    [
      ["to 127.0.0.1", "http://127.0.0.1/elsewhere"],
      ["to a name whose address is 127.0.0.1", "http://trap.test/elsewhere"],
      ["to a name whose address is ::ffff:127.0.0.1", "http://trap6.test/elsewhere"],
      ["to a name whose address is 169.254.169.254", "http://meta.test/elsewhere"],
      ["to 100.100.100.200", "http://100.100.100.200/elsewhere"],
      ["to [fd00:ec2::254]", "http://[fd00:ec2::254]/elsewhere"],
      ["to [64:ff9b::7f00:1]", "http://[64:ff9b::7f00:1]/elsewhere"],
    ] as const
  ).map(([where, blob]) => ({
    given: `A registry of the network leads a blob ${where}`,
    sent: "nothing: there is no connection",
    ...(where.includes("64:ff9b") ? {} : { skopeo: "fetches it" }),
    rules: { blob },
    told: { [plain]: "nothing" },
    code: "E_REGISTRY_REDIRECT",
  })),
  {
    given: "A registry of the network has the address 127.0.0.1 after its first answer",
    sent: "nothing more: there is no connection",
    skopeo: "goes on there",
    rules: { turns: "127.0.0.1" },
    told: { [plain]: "nothing" },
    code: "E_REGISTRY_REDIRECT",
  },
  {
    given: "A registry on this machine leads a blob to another port of this machine",
    sent: "nothing but the question there",
    rules: { blob: "http://127.0.0.1:5001/elsewhere" },
    image: "localhost:5000/app:1",
    told: { "http://localhost:5000": "nothing", "http://127.0.0.1:5001": "nothing" },
  },
  {
    given: "A registry on this machine leads a blob to 169.254.169.254",
    sent: "nothing: there is no connection",
    skopeo: "fetches it",
    rules: { blob: "http://169.254.169.254/elsewhere" },
    image: "localhost:5000/app:1",
    told: { "http://localhost:5000": "nothing" },
    code: "E_REGISTRY_REDIRECT",
  },
  {
    given: "The registry wants an upload at another host",
    sent: "the bytes there, and no user and password",
    skopeo: "sends user and password along",
    rules: { challenge: "basic", upload: `${cdn}/upload` },
    command: "push",
    told: { [plain]: twice, "http://cdn.test": "nothing" },
  },
  {
    given: "... which asks for a token of its own",
    sent: "no answer to that, and its token service is not asked",
    skopeo: "tells it user and password",
    rules: { challenge: "basic", upload: `${cdn}/upload`, elsewhere: "bearer" },
    command: "push",
    told: { [plain]: twice, "http://cdn.test": "nothing" },
    code: "E_REGISTRY_STATUS",
  },
  {
    given: "The registry wants an upload on 127.0.0.1",
    sent: "nothing: there is no connection",
    skopeo: "sends user and password and the bytes there",
    rules: { challenge: "basic", upload: "http://127.0.0.1/elsewhere/upload" },
    command: "push",
    told: { [plain]: twice },
    code: "E_REGISTRY_REDIRECT",
  },
  {
    given: "A registry that has the client's certificate leads a blob to a host that the client has one for too",
    sent: "its certificate to the registry, none to the other host",
    skopeo: "shows the registry's certificate to the other host",
    rules: { blob: "https://cdn.test/elsewhere" },
    image: "reg.test/app:1",
    certificates: ["reg.test", "cdn.test"],
    told: { [secure]: "certificate reg.test", "https://cdn.test": "nothing" },
  },
  // Proxies.
  {
    given: "`HTTP_PROXY` and a registry of http",
    sent: "all through the proxy, and the proxy's own password to it alone",
    rules: { challenge: "basic" },
    env: proxied,
    told: { [`proxy to ${plain}`]: `proxy p:word, ${user} and proxy p:word`, [plain]: twice },
  },
  {
    given: "`HTTP_PROXY` and a registry of https",
    sent: "nothing to the proxy",
    rules: {},
    image: "reg.test/app:1",
    env: proxied,
    told: { [secure]: "nothing" },
  },
  {
    given: "`HTTPS_PROXY` and a registry of https that asks for Basic",
    sent: "to the proxy the registry's name and the proxy's own password, to the registry user and password",
    rules: { challenge: "basic" },
    image: "reg.test/app:1",
    env: both,
    told: { "proxy to reg.test:443": "proxy p:word", [secure]: twice },
  },
  {
    given: "`HTTP_PROXY` and a registry on this machine",
    sent: "nothing to the proxy",
    rules: {},
    image: "localhost:5000/app:1",
    env: both,
    told: { "http://localhost:5000": "nothing" },
  },
  {
    given: "`HTTP_PROXY`, and `NO_PROXY` with what is above the registry",
    sent: "nothing to the proxy",
    rules: {},
    env: { ...both, NO_PROXY: "other, .test" },
    told: { [plain]: "nothing" },
  },
  {
    given: "`HTTP_PROXY`, and `NO_PROXY` with another port of the registry",
    sent: "all through the proxy",
    rules: {},
    env: { ...proxied, NO_PROXY: "reg.test:5001" },
    told: { [`proxy to ${plain}`]: "proxy p:word", [plain]: "nothing" },
  },
  {
    given: "`HTTP_PROXY`, and `http_proxy` with another one",
    sent: "all through that of the capitals",
    rules: {},
    env: { ...proxied, http_proxy: "http://127.0.0.1:1" },
    told: { [`proxy to ${plain}`]: "proxy p:word", [plain]: "nothing" },
  },
  {
    given: "`HTTP_PROXY` where `REQUEST_METHOD` is set",
    sent: "nothing: that is refused",
    rules: {},
    env: { ...proxied, REQUEST_METHOD: "GET" },
    told: {},
    code: "E_REGISTRY_CONFIG",
  },
  // ADD.
  {
    given: "`ADD` with user and password in the URL, which leads to another host",
    sent: "user and password to the URL's own origin, nothing but the question to the other",
    rules: { file: `${cdn}/1` },
    command: "add",
    url: `http://${user}@reg.test:5000/file`,
    told: { [plain]: user, "http://cdn.test": "nothing" },
  },
  {
    given: "`ADD` with the secret `HTTP_AUTH_TOKEN_reg.test`, led to another host and back",
    sent: "the token to the URL's own origin, nothing on the way back",
    rules: { file: `${cdn}/1`, onward: `${plain}/v2/app/manifests/1` },
    command: "add",
    url: `${plain}/file`,
    env: { TOKEN: "t" },
    flags: ["--secret", "id=HTTP_AUTH_TOKEN_reg.test,env=TOKEN"],
    told: { [plain]: "Bearer t, nothing", "http://cdn.test": "nothing" },
  },
  {
    given: "`ADD`, led to a name whose address is 127.0.0.1",
    sent: "nothing: there is no connection",
    rules: { file: "http://trap.test/file" },
    command: "add",
    url: `${plain}/file`,
    told: { [plain]: "nothing" },
    code: "E_URL_REDIRECT",
  },
  {
    given: "`ADD`, led to another path of its own host, whose address is 169.254.169.254 then",
    sent: "nothing: there is no connection",
    rules: { file: "/latest/1", turns: "169.254.169.254" },
    command: "add",
    url: `${plain}/file`,
    told: { [plain]: "nothing" },
    code: "E_URL_REDIRECT",
  },
  {
    given: "`ADD` of a URL on this machine",
    sent: "the question",
    rules: {},
    command: "add",
    url: "http://trap.test/file",
    told: { "http://trap.test": "nothing" },
  },
];
