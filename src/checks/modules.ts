import type { CheckType } from '../core/check.ts';

interface CheckModule {
  /** The name of the folder, of its file, and of what that exports. */
  readonly type: string;
  /** Other words that people use for it. */
  readonly aliases?: readonly string[];
  /** Nothing is run: what it watches tells the server by itself. The scheduler leaves such monitors out. */
  readonly passive?: true;
  /** A type is loaded alone where only one is needed: that halves the start of `check`. */
  readonly load: () => Promise<object>;
}

/** Every check type. Configuration, command line, shell, API and documentation derive from this list. */
export const checkModules: readonly CheckModule[] = [
  { type: 'certificate', aliases: ['cert'], load: () => import('./certificate/certificate.ts') },
  { type: 'dns', load: () => import('./dns/dns.ts') },
  { type: 'domain', load: () => import('./domain/domain.ts') },
  { type: 'echo', load: () => import('./echo/echo.ts') },
  { type: 'grpc', load: () => import('./grpc/grpc.ts') },
  { type: 'heartbeat', passive: true, load: () => import('./heartbeat/heartbeat.ts') },
  { type: 'http', aliases: ['https'], load: () => import('./http/http.ts') },
  { type: 'icmp', aliases: ['ping'], load: () => import('./icmp/icmp.ts') },
  { type: 'imap', load: () => import('./imap/imap.ts') },
  { type: 'ntp', load: () => import('./ntp/ntp.ts') },
  { type: 'pop3', load: () => import('./pop3/pop3.ts') },
  { type: 'smtp', load: () => import('./smtp/smtp.ts') },
  { type: 'ssh', load: () => import('./ssh/ssh.ts') },
  { type: 'tcp', load: () => import('./tcp/tcp.ts') },
  { type: 'traceroute', load: () => import('./traceroute/traceroute.ts') },
  { type: 'udp', load: () => import('./udp/udp.ts') },
  { type: 'websocket', aliases: ['ws', 'wss'], load: () => import('./websocket/websocket.ts') },
];

/** Those that can be run, in a terminal or by an agent. */
export const runnableModules: readonly CheckModule[] = checkModules.filter(({ passive }) => passive === undefined);

export function isPassiveType(type: string): boolean {
  return findCheckModule(type)?.passive === true;
}

/** The words that name a check type, lower case. */
export function moduleWords({ type, aliases = [] }: CheckModule): readonly string[] {
  return [type, ...aliases];
}

/** The module of a word as people write it; undefined if there is none. */
export function findCheckModule(word: string): CheckModule | undefined {
  return checkModules.find((module) => moduleWords(module).includes(word.toLowerCase()));
}

export async function loadCheckType({ type, load }: CheckModule): Promise<CheckType> {
  // A test proves that every module exports its check type under its name.
  return Reflect.get(await load(), type) as CheckType;
}
