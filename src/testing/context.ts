import { fileURLToPath } from 'node:url';
import type { CheckContext } from '../core/check.ts';
import { systemClock } from '../core/clock.ts';
import { createNetwork } from '../net/network.ts';
import { EgressPolicy } from '../net/dial/egress.ts';
import { Resolver } from '../net/resolve.ts';

/** Machines differ in the addresses of localhost; the servers of the tests are at 127.0.0.1. */
const hostsPath = fileURLToPath(new URL('hosts', import.meta.url));

/** A context on the real network and the real clock, as a run in a terminal gets it. Ten seconds unless the test brings its own signal. */
export function testContext(overrides: Partial<CheckContext> = {}): CheckContext {
  return {
    signal: AbortSignal.timeout(10_000),
    clock: systemClock,
    net: createNetwork({
      clock: systemClock,
      policy: new EgressPolicy(),
      resolver: new Resolver({ clock: systemClock, hostsPath }),
    }),
    wantsFullDetail: true,
    ...overrides,
  };
}
