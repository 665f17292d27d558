import type { CheckType } from '../core/check.ts';
import { dns } from './dns/dns.ts';
import { echo } from './echo/echo.ts';
import { http } from './http/http.ts';
import { icmp } from './icmp/icmp.ts';
import { ntp } from './ntp/ntp.ts';
import { tcp } from './tcp/tcp.ts';
import { traceroute } from './traceroute/traceroute.ts';
import { udp } from './udp/udp.ts';

/** Every check type. Configuration, command line, shell, API and documentation derive from this list. */
// A list of different option types has no common type of its own; each one's options are parsed by its own schema.
export const checkTypes = [dns, echo, http, icmp, ntp, tcp, traceroute, udp] as unknown as readonly CheckType[];

/** Every word that names a check type: its name or an alias, lower case. */
export const checkWords: readonly string[] = checkTypes.flatMap(({ type, aliases = [] }) => [type, ...aliases]);

/** The check type of a word as people write it; undefined if there is none. */
export function findCheckType(word: string): CheckType | undefined {
  const wanted = word.toLowerCase();
  return checkTypes.find(({ type, aliases = [] }) => type === wanted || aliases.includes(wanted));
}
