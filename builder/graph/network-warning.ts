import type { BuildEvent, ProgressSink } from "./events.ts";

type NetworkEvent = Extract<BuildEvent, { readonly kind: "network" }>;

/** Passes events on; the first step that has the host's network for want of one of its own is warned of. */
export function tellingNetwork(tell: ProgressSink): ProgressSink {
  let told = false;
  return (event) => {
    tell(event);
    if (told || event.kind !== "network" || event.reason === undefined) return;
    told = true;
    tell(networkWarning(event, event.reason));
  };
}

function networkWarning({ digest, time, hint }: NetworkEvent, reason: string): BuildEvent {
  return {
    kind: "warning",
    digest,
    time,
    message: hostNetworkMessage("RUN has", reason),
    detail: [hostNetworkDetail],
    ...(hint === undefined ? {} : { hint: `${hint}; --network own fails instead, --network none takes it away` }),
  };
}

/** `who`: with its verb. */
export function hostNetworkMessage(who: string, reason: string): string {
  return `${who} the host's network, not one of its own: ${reason}`;
}

const hostNetworkDetail =
  "it reaches services on the host's loopback interface and abstract sockets; it has neither CAP_NET_RAW nor CAP_NET_ADMIN";
