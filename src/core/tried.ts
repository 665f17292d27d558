import type { JsonValue, Reason } from './outcome.ts';

/** What became of one of several addresses of a name. A type, not an interface, so that it is a `JsonObject`. */
export type Tried = {
  readonly address: string;
  /** Null for the address that answered. */
  readonly reason: Reason | null;
  /** From the first packet to the answer, the error, or the end of the wait for it. */
  readonly ms: number;
};

const words: Readonly<Partial<Record<Reason, string>>> = {
  timeout: 'does not answer',
  unreachable: 'cannot be reached',
  refused: 'refused',
  reset: 'reset the connection',
  denied: 'is not allowed',
  cancelled: 'was not waited for',
};

/** `10.77.1.2 refused; 10.77.3.2 answers (1 of 2)`. */
export function triedText(tried: readonly Tried[]): string {
  const each = tried.map(
    ({ address, reason }) => `${address} ${reason === null ? 'answers' : (words[reason] ?? reason)}`,
  );
  const answering = tried.filter(({ reason }) => reason === null).length;
  return `${each.join('; ')} (${answering} of ${tried.length})`;
}

/** What a check writes down of the address it talks to: `address` and, where there were several, `tried`. */
export function addressDetail({
  address,
  tried,
}: {
  readonly address: { readonly ip: string };
  readonly tried?: readonly Tried[] | undefined;
}): Record<string, JsonValue> {
  return { address: address.ip, ...(tried && { tried }) };
}
