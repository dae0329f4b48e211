import type { SourceLocation } from "../base/location.ts";
import type { InstructionOf, StepCheck } from "./rule.ts";

/** A port as EXPOSE has it once its variables are in place. */
export interface ExposedPort {
  readonly text: string;
  readonly protocol: string;
  /** With an address or a port of the host. */
  readonly mapped: boolean;
  readonly location: SourceLocation;
}

/** The ports of an EXPOSE up to the first that is none: that one is an error. */
export function exposedPorts({ instruction, expandWords }: StepCheck<InstructionOf<"EXPOSE">>): readonly ExposedPort[] {
  const ports: ExposedPort[] = [];
  for (const { raw, location } of instruction.words) {
    for (const text of expandWords(raw)) {
      const parts = text.split(":");
      const [port = "", protocol = ""] = (parts.at(-1) ?? "").split(/\/(.*)/s, 2);
      if (port === "" || !["", "tcp", "udp", "sctp"].includes(protocol.toLowerCase())) return ports;
      ports.push({ text, protocol, mapped: parts.slice(0, -1).some((part) => part !== ""), location });
    }
  }
  return ports;
}
