import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import { up, type Measured, type Outcome, type Source, type Status } from '../../core/outcome.ts';
import { assertRoundTrips, withUsualLoss } from '../../core/round-trips.ts';
import type { IcmpOptions } from './options.ts';
import type { EchoTally, Failed } from './tally.ts';

interface Judged {
  readonly address: string;
  readonly measured: Measured;
}

/** The verdict on a run: down when no packet was answered, else by the limits of its figures. */
export function pingVerdict(tally: EchoTally, options: IcmpOptions, { address, measured }: Judged): Outcome {
  try {
    if (tally.received === 0) throw silence(tally, options, address);
    assertRoundTrips(measured, withUsualLoss(options, tally.sent), 'packets');
    return up(describeRun(tally, measured), measured);
  } catch (error) {
    if (error instanceof Failure) return error.toOutcome(measured);
    throw error;
  }
}

/** `ping: 22.65 ms`, and the loss where more than one packet was sent. */
function describeRun({ sent, received }: EchoTally, { latencyMs }: Measured): string {
  const latency = `ping: ${latencyMs?.toFixed(2)} ms`;
  if (sent === 1) return latency;
  return `${latency}, ${received === sent ? 'none' : sent - received} of ${sent} packets lost`;
}

/** The reason why no reply came: a reported error tells more than silence. */
function silence({ failed, sent }: EchoTally, options: IcmpOptions, address: string): Error {
  if (failed) return reported(failed, options, address);
  const packets = sent === 1 ? 'the packet' : `any of ${sent} packets`;
  return new Failure('timeout', `${address} did not answer ${packets} within ${formatDuration(options.wait)}.`);
}

function reported(failed: Failed, options: IcmpOptions, address: string): Error {
  if (failed.kind === 'unsent') return failed.error;
  const { error, from } = failed;
  const who = from ?? 'this machine';
  const detail = { reportedBy: from ?? null, error: error.text, ...(error.mtu !== undefined && { mtu: error.mtu }) };
  const as = blameOf(from, address);
  if (error.kind === 'too-big') {
    const room = error.mtu === undefined ? 'less' : `${error.mtu} bytes at most`;
    const message = `Packets with ${options.size} bytes of payload are too big: ${who} takes ${room}.`;
    return new Failure('unreachable', message, { detail, as });
  }
  if (error.kind === 'time-exceeded') {
    const { ttl } = options;
    const hops = ttl === undefined ? '' : `, after ${ttl} ${ttl === 1 ? 'hop' : 'hops'}`;
    const message = `Packets did not reach ${address}: ${who} says ${error.text}${hops}.`;
    return new Failure('unreachable', message, { detail, as });
  }
  return new Failure('unreachable', `${who} says about ${address}: ${error.text}.`, { detail, as });
}

/** Nothing can be said of a target that this machine itself did not send to. */
function blameOf(from: string | undefined, address: string): { readonly source: Source; readonly status?: Status } {
  if (from === undefined) return { source: 'agent', status: 'unknown' };
  return { source: from === address ? 'target' : 'path' };
}
