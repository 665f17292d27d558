/** User and password of a login. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A conversation with a mail server, step by step. What a server refuses is a `Failure` with its words. */
export interface MailSession {
  /** Reads the greeting. */
  greet(): Promise<void>;
  /** Asks for the capabilities, a line each: `AUTH PLAIN LOGIN`. They are asked for again after TLS and after the login. */
  capabilities(): Promise<readonly string[]>;
  /** Asks to go on in TLS; the handshake is next. */
  startTls(): Promise<void>;
  /** By a mechanism that the server offers among these capabilities. The connection has to be in TLS. */
  logIn(credentials: Credentials, capabilities: readonly string[]): Promise<void>;
  /** Says goodbye and does not wait for the answer. */
  leave(): Promise<void>;
}

/** Whether a server offers a capability. Words after the first may stand in any order: `AUTH PLAIN` is in `AUTH LOGIN PLAIN`. */
export function offers(capabilities: readonly string[], wanted: string): boolean {
  const [name = '', ...parameters] = wordsOf(wanted);
  return capabilities.some((line) => {
    const [offered, ...offeredParameters] = wordsOf(line);
    return offered === name && parameters.every((parameter) => offeredParameters.includes(parameter));
  });
}

/** `AUTH=PLAIN`, an old way to write it, is `AUTH PLAIN`. */
function wordsOf(line: string): readonly string[] {
  return line
    .toUpperCase()
    .replace(/^(AUTH|SASL)=/, '$1 ')
    .split(/\s+/)
    .filter((word) => word !== '');
}

/** The texts of a login in every form in which they are sent; none may be shown. */
export function secretsOf(credentials: Credentials): readonly string[] {
  const { password } = credentials;
  return [plainResponse(credentials), asBase64(password), password, quotedString(password).slice(1, -1)];
}

/** A quoted string of IMAP (RFC 9051 section 4.3). */
export function quotedString(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** RFC 4616: what PLAIN sends. */
export function plainResponse({ username, password }: Credentials): string {
  return asBase64(`\0${username}\0${password}`);
}

export function asBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}
