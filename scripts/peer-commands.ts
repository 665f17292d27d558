import { execFile } from 'node:child_process';
import type { CorpusCase } from '../test/corpus/corpus-case.ts';
import { fillAll, type Facts } from '../test/corpus/placeholders.ts';

export interface PeerVerdict {
  /** As a person would type it, with PORT in place of the number. */
  readonly command: string;
  readonly good: boolean;
  /** What it said, in one short line. */
  readonly said: string;
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly judge: (ran: Ran) => Omit<PeerVerdict, 'command'>;
}

interface Ran {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

type Options = Readonly<Record<string, unknown>>;

const waitSeconds = 3;

/** Asks the program that people would use for the same thing, with the same wishes. */
export async function askPeer(plan: CorpusCase, facts: Facts): Promise<PeerVerdict> {
  // Certificates are files for a peer.
  const options = fillAll(JSON.parse(JSON.stringify(plan.options).replaceAll('${pem.', '${file.')), facts) as Options;
  return await runPeer(commandOf(plan.check, options), facts);
}

export async function runPeer({ program, args, judge }: Command, facts?: Facts): Promise<PeerVerdict> {
  const ran = await execute(program, args);
  const plain = (text: string): string => withoutPlaces(text, facts);
  const { good, said } = judge(ran);
  const words = [program, ...args].map((word) => (word === '' ? "''" : word));
  return { command: plain(words.join(' ')), good, said: plain(said) };
}

function commandOf(check: string, options: Options): Command {
  switch (check) {
    case 'http':
      return curl(options);
    case 'dns':
      return dig(options);
    case 'ntp':
      return { program: 'ntpdate', args: ['-q', String(options['host'])], judge: judgeNtpdate };
    case 'tcp':
      return openssl(options);
    default:
      throw new Error(`No peer is known for ${check}.`);
  }
}

function curl(options: Options): Command {
  const {
    url,
    method,
    body,
    maxRedirects = 5,
    headers = {},
    auth,
    tls,
    httpVersion,
  } = options as {
    readonly url: string;
    readonly method?: string;
    readonly body?: string;
    readonly maxRedirects?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly auth?: { readonly user: string; readonly password: string };
    readonly tls?: Readonly<Record<string, string>>;
    readonly httpVersion?: string;
  };
  const args = ['-sS', '-m', String(waitSeconds), '-o', '/dev/null', '-w', '%{http_code}'];
  if (maxRedirects > 0) args.push('-L', '--max-redirs', String(maxRedirects), '-b', '');
  if (method === 'HEAD') args.push('-I');
  else if (method !== undefined && body === undefined) args.push('-X', method);
  if (body !== undefined) args.push('-d', body);
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  if (auth) args.push('-u', `${auth.user}:${auth.password}`);
  if (tls?.['ca']) args.push('--cacert', tls['ca']);
  args.push(
    ...(httpVersion === '2' ? ['--http2'] : ['--http1.1']),
    ...('contains' in options ? ['--compressed'] : []),
    url,
  );
  return { program: 'curl', args, judge: judgeCurl };
}

function judgeCurl({ code, output, errors }: Ran): Omit<PeerVerdict, 'command'> {
  const status = output.slice(-3);
  if (code === 0) return { good: status.startsWith('2'), said: status };
  return {
    good: false,
    said: (errors.split('\n')[0] ?? '')
      .replace(/^curl: /, '')
      .replace(/OpenSSL\/\S+ /, '')
      .replace(/ after \d+ m?s/, '')
      .slice(0, 100),
  };
}

function dig(options: Options): Command {
  const { name, server, record = 'A', protocol, recursion } = options as Readonly<Record<string, string>>;
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(server ?? '') ?? [];
  const asked = /^[\d.]+$|:/.test(name ?? '') ? ['-x', name ?? ''] : [name ?? '', record];
  const args = [`@${host}`, '-p', port, '+time=1', '+tries=2', '+noall', '+comments', '+answer', ...asked];
  if (protocol === 'tcp') args.push('+tcp');
  if (String(recursion) === 'false') args.push('+norecurse');
  const type = asked[0] === '-x' ? 'PTR' : record;
  return { program: 'dig', args, judge: (ran) => judgeDig(ran, type) };
}

function judgeDig({ output }: Ran, record: string): Omit<PeerVerdict, 'command'> {
  const warning = /^;; ((?:Warning|WARNING|Got bad|communications error|no servers|\?\? to).*)$/im.exec(output)?.[1];
  const about = warning?.replace(/: expected ID.*/, '').replace(/ - retry.*/, '');
  const status = /status: (\w+)/.exec(output)?.[1];
  if (status === undefined) return { good: false, said: about ?? 'no answer' };
  const answers = output.split('\n').filter((line) => new RegExp(`^[^;].*\\sIN\\s+${record}\\s`).test(line)).length;
  const said = `${status}, ${answers} of type ${record}`;
  return { good: status === 'NOERROR' && answers > 0, said: about === undefined ? said : `${said} (${about})` };
}

function openssl(options: Options): Command {
  const { host, port, starttls, tls } = options as {
    readonly host: string;
    readonly port: number;
    readonly starttls?: string;
    readonly tls?: Readonly<Record<string, string>>;
  };
  const address = host === 'localhost' ? '127.0.0.1' : host;
  const args = ['s_client', '-connect', `${address}:${port}`, '-verify_return_error', '-verify_hostname', host];
  if (host === 'localhost') args.push('-servername', host);
  if (tls?.['ca']) args.push('-CAfile', tls['ca']);
  if (starttls !== undefined) args.push('-starttls', starttls);
  return { program: 'openssl', args, judge: judgeOpenssl };
}

function judgeOpenssl({ code, output, errors }: Ran): Omit<PeerVerdict, 'command'> {
  const verdict = /Verify return code: (.*)/.exec(output)?.[1];
  if (code === 0 && verdict?.startsWith('0 ')) return { good: true, said: 'verified' };
  const error = /verify error:num=\d+:(.*)/.exec(errors)?.[1] ?? /:error:[^:]*:[^:]*:[^:]*:([^:]*)/.exec(errors)?.[1];
  return {
    good: false,
    said: error ?? (errors.split('\n').find((line) => line !== '') ?? 'no handshake').slice(0, 80),
  };
}

function judgeNtpdate({ code, output, errors }: Ran): Omit<PeerVerdict, 'command'> {
  const [, sign = '', seconds] = /([+-])(\d+\.\d+) \+\/-/.exec(output) ?? [];
  const stratum = /\bs(\d+)\b/.exec(output)?.[1];
  if (code === 0 && seconds !== undefined && stratum !== undefined) {
    const offset = Math.round(Number(seconds));
    const shown = offset > 86_400 ? 'years' : `${offset === 0 ? '' : sign}${offset} s`;
    return { good: true, said: `stratum ${stratum}, offset ${shown}` };
  }
  const line = `${errors}${output}`.split('\n').find((text) => text.trim() !== '') ?? 'no answer';
  return { good: false, said: line.replace(/^ntpdig: /, '').slice(0, 100) };
}

/** Ports, paths and names of processes differ from run to run; a table must not. */
function withoutPlaces(text: string, facts: Facts | undefined): string {
  let plain = text;
  for (const { port } of facts?.places.values() ?? [])
    plain = plain.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), 'PORT');
  return plain
    .replaceAll(/\S*\/watchkeeper-certificates-\w+\//g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function execute(program: string, args: readonly string[]): Promise<Ran> {
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  const options = {
    timeout: 2 * waitSeconds * 1000,
    maxBuffer: 4 * 1024 * 1024,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  };
  const child = execFile(program, [...args], options, (error, output, errors) => {
    if (error?.code === 'ENOENT') return reject(new Error(`${program} is not installed, so nothing can be compared.`));
    resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, output, errors });
  });
  child.stdin?.end();
  return promise;
}
