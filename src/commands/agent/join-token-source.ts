import { readFileSync } from 'node:fs';
import { AppError } from '../../core/errors.ts';
import { quoted } from '../../core/quoted.ts';

interface TokenFlags {
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

const standardInput = 0;
/** A token has about 90 characters. */
const maxTokenBytes = 4096;

/** The join token that was given, from where others do not read it if possible; undefined if none was. @throws {AppError} usage */
export function givenToken({ token, tokenFile }: TokenFlags, say: (text: string) => void): string | undefined {
  if (token !== undefined && tokenFile !== undefined)
    throw new AppError('usage', 'expected --token or --token-file, got both');
  if (tokenFile !== undefined) return tokenFile === '-' ? readToken(standardInput) : readToken(tokenFile);
  if (token !== undefined) {
    const safer = 'WATCHKEEPER_TOKEN=…, --token-file FILE, or --token-file - for standard input, keep it from them';
    say(`Every user of this machine could read the token on the command line: ${safer}.`);
    return token;
  }
  const fromEnvironment = process.env['WATCHKEEPER_TOKEN'];
  return fromEnvironment === '' ? undefined : fromEnvironment;
}

function readToken(file: string | typeof standardInput): string {
  const from = file === standardInput ? 'standard input' : quoted(file);
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new AppError('usage', `the join token cannot be read from ${from}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (text.length > maxTokenBytes)
    throw new AppError('usage', `expected one join token in ${from}, got ${text.length} characters`);
  return text.trim();
}
