import type { Clock } from './clock.ts';
import type { Address, DialOptions, Endpoint, Network } from './network.ts';
import { failed, type Outcome, type Status } from './outcome.ts';
import { triedText, type Tried } from './tried.ts';

/** A name may have more; a run must end. */
const maxAddresses = 16;

/** Where a run connects to, and how. */
export type Destination = Endpoint & Omit<DialOptions, 'signal'>;

interface RunContext {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly net: Network;
}

/** One run for each address of a name, side by side; degraded if only some of them succeed. @throws {Failure} as `resolveAll` */
export async function onEachAddress<Context extends RunContext>(
  destination: Destination,
  context: Context,
  run: (context: Context) => Promise<Outcome>,
): Promise<Outcome> {
  const { net, signal, clock } = context;
  const addresses = await net.resolveAll(destination, { ...destination, signal });
  const startedMs = clock.monotonic();
  const runs = addresses.slice(0, maxAddresses).map(async (address) => {
    const outcome = await run({ ...context, net: pinned(net, destination.host, address) });
    return { address, outcome, ms: clock.monotonic() - startedMs };
  });
  return combined(await Promise.all(runs));
}

interface RunOfAddress {
  readonly address: Address;
  readonly outcome: Outcome;
  readonly ms: number;
}

/** Unknown says nothing of an address: only one that is down degrades the others. */
function combined(runs: readonly RunOfAddress[]): Outcome {
  const tried = runs.map(({ address, outcome: { status, reason }, ms }): Tried => {
    const isAnswer = status === 'up' || status === 'degraded';
    return { address: address.ip, reason: isAnswer ? null : (reason ?? 'internal'), ms };
  });
  const outcomes = runs.map(({ outcome }) => outcome);
  const ofStatus = (wanted: Status): Outcome | undefined => outcomes.find(({ status }) => status === wanted);
  const down = ofStatus('down');
  const answer = ofStatus('degraded') ?? ofStatus('up');
  // A name has at least one address, and an outcome one of four statuses.
  const shown = answer ?? down ?? ofStatus('unknown')!;
  const { latencyMs, metrics } = shown;
  const detail = { ...shown.detail, tried };
  // `defineCheck` adds the addresses to the message of an outcome that is up.
  if (!answer || !down) return { ...shown, detail };
  return failed(down.reason ?? 'internal', `${triedText(tried)}: ${down.message}`, {
    latencyMs,
    metrics,
    detail,
    as: { status: 'degraded', source: down.source ?? 'target' },
  });
}

/** The network, in which a host has one address. */
function pinned(net: Network, host: string, address: Address): Network {
  const pin = <Options extends DialOptions>(options: Options): Options => ({
    ...options,
    overrides: [{ host, address }, ...(options.overrides ?? [])],
  });
  return {
    ...net,
    connect: (endpoint, options) => net.connect(endpoint, pin(options)),
    openUdp: (endpoint, options) => net.openUdp(endpoint, pin(options)),
    askUdp: (endpoint, options) => net.askUdp(endpoint, pin(options)),
  };
}
