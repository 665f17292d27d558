import { spawn } from 'node:child_process';
import { z } from 'zod';
import { isDeadline } from '../../core/failure.ts';
import { quoted } from '../../core/quoted.ts';
import { visible } from '../content.ts';
import { defineNotifier, type SendResult } from '../notifier.ts';

const options = z.strictObject({
  command: z
    .array(
      z
        .string()
        .max(4096)
        .refine((text) => !text.includes('\0'), 'expected a text without NUL'),
    )
    .min(1)
    .max(100)
    .refine(
      ([program = '']) => program.startsWith('/'),
      'expected the program by its whole path, like /usr/local/bin/tell',
    )
    .meta({
      description:
        'Program by its whole path, and its arguments; no shell reads them, and nothing of a message is in them',
      example: '[/usr/local/bin/tell, --urgent]',
    }),
});

export const command = defineNotifier({
  kind: 'command',
  title: 'Command',
  summary: 'Runs a program of this machine, with the message as JSON on its standard input.',
  notes: [
    'Only a file on the disk of the server can name a program: neither the interface nor a message can.',
    'The environment has `WK_ID`, `WK_KIND`, `WK_STATE`, `WK_SEVERITY`, `WK_SUBJECT` and `WK_HEADLINE`, beside PATH, HOME and LANG.',
    'Exit code 0 is delivered, 75 (EX_TEMPFAIL) is tried again, any other is final. After 20 s it is killed with all it has started.',
  ],
  options,
  rate: { burst: 5, perSecond: 1 },
  async send({ message, options: { command }, signal }) {
    const { id, kind, state, severity, subject, headline } = message;
    const { PATH = '/usr/bin:/bin', HOME = '/', LANG = 'C.UTF-8' } = process.env;
    const environment = {
      PATH,
      HOME,
      LANG,
      WK_ID: id,
      WK_KIND: kind,
      WK_STATE: state,
      WK_SEVERITY: severity,
      WK_SUBJECT: visible(subject, 500),
      WK_HEADLINE: visible(headline, 500),
    };
    return await run(command, { environment, input: `${JSON.stringify(message)}\n`, signal });
  },
});

interface Running {
  readonly environment: Readonly<Record<string, string>>;
  readonly input: string;
  readonly signal: AbortSignal;
}

const maxOutput = 4096;

function run([program = '', ...args]: readonly string[], { environment, input, signal }: Running): Promise<SendResult> {
  const { promise, resolve, reject } = Promise.withResolvers<SendResult>();
  // A process group of its own, so that all it starts can be killed with it.
  const child = spawn(program, args, { env: environment, cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  const note = (bytes: Buffer): void => {
    if (output.length < maxOutput) output += bytes.toString('utf8', 0, maxOutput);
  };
  child.stdout.on('data', note);
  child.stderr.on('data', note);
  // A program need not read what it is given.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const stop = (): void => {
    killGroup(child.pid);
    // A stop of the server and not of the program: nobody waits for a result.
    if (isDeadline(signal.reason))
      resolve({ outcome: 'retry', text: `${quoted(program)} was killed: ${signal.reason.message}` });
    else reject(signal.reason as Error);
  };
  signal.addEventListener('abort', stop, { once: true });
  child.once('error', ({ message }) =>
    resolve({ outcome: 'broken', text: `${quoted(program)} did not start: ${message}` }),
  );
  child.once('close', (code, killedBy) => resolve(resultOf(code, { program, killedBy, output })));
  if (signal.aborted) stop();
  return promise.finally(() => signal.removeEventListener('abort', stop));
}

function resultOf(
  code: number | null,
  {
    program,
    killedBy,
    output,
  }: { readonly program: string; readonly killedBy: string | null; readonly output: string },
): SendResult {
  const said = output.trim() === '' ? '' : `: ${quoted(output.trim(), 300)}`;
  const text = `${quoted(program)} ended with ${code === null ? `signal ${killedBy}` : `exit code ${code}`}${said}`;
  if (code === 0) return { outcome: 'delivered', text };
  return { outcome: code === tryAgain || code === null ? 'retry' : 'refused', text };
}

/** EX_TEMPFAIL of sysexits.h. */
const tryAgain = 75;

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
