/** A refused sample on its way from the list of refusals to the form that explains it. */

/** What makes a body of the part of one that was refused, by the name of the protocol. */
const BODIES: Readonly<Record<string, { readonly wire: string; readonly body: (part: string) => string }>> = {
  json: { wire: "json", body: (part) => `{"metrics": [${part}]}` },
  text: { wire: "text", body: (part) => `${part}\n` },
  influx: { wire: "influx", body: (part) => `${part}\n` },
  opentsdb: { wire: "opentsdb", body: (part) => `[${part}]` },
};

let left: { readonly wire: string; readonly body: string } | undefined;

export const handOver = {
  canExplain: (protocol: string | undefined): boolean => protocol !== undefined && Object.hasOwn(BODIES, protocol),
  leave(protocol: string, part: string): void {
    const found = Object.hasOwn(BODIES, protocol) ? BODIES[protocol] : undefined;
    if (found !== undefined) left = { wire: found.wire, body: found.body(part) };
  },
  take(): { readonly wire: string; readonly body: string } | undefined {
    const found = left;
    left = undefined;
    return found;
  },
};
