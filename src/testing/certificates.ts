import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate and its key, as files for daemons and as PEM texts for options. */
export interface TestCertificate {
  readonly certificatePath: string;
  readonly keyPath: string;
  readonly certificate: string;
  readonly key: string;
}

const serverNames = 'DNS:localhost,DNS:example.test,IP:127.0.0.1,IP:::1';
/** P-256: quick to make and to use. */
const ecKey = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const;
const dayMs = 86_400_000;

/** What a certificate of a test is to be. */
export interface Profile {
  readonly subject: string;
  readonly names?: string;
  /** Validity in days from now. */
  readonly fromDays?: number;
  readonly toDays?: number;
  /** The name of a certificate that was made before in the same folder: `ca` if left out. */
  readonly signer?: string;
  readonly isAuthority?: boolean;
  /** Arguments of `openssl req -newkey`, for a new key. */
  readonly key?: readonly string[];
  /** A key that is there already. */
  readonly keyFile?: string;
  /** Hash of the signature. */
  readonly digest?: string;
  /** Lines of an extensions section of openssl. */
  readonly extensions?: readonly string[];
}

/** Every certificate of the tests. The signer of one must stand above it. */
const profiles = {
  good: { subject: 'localhost', names: serverNames },
  expired: { subject: 'localhost', names: serverNames, fromDays: -30, toDays: -1 },
  expiringSoon: { subject: 'localhost', names: serverNames, toDays: 3.5 },
  notYetValid: { subject: 'localhost', names: serverNames, fromDays: 1, toDays: 30 },
  wrongName: { subject: 'other.test', names: 'DNS:other.test' },
  wildcard: { subject: 'localhost', names: 'DNS:*.example.test,DNS:w*.partial.test,DNS:127.0.0.1' },
  /** Its name stands only in the subject, where it does not count (RFC 9525 section 2). */
  withoutNames: { subject: 'localhost' },
  weakKey: { subject: 'localhost', names: serverNames, key: ['rsa:1024'] },
  untrusted: { subject: 'localhost', names: serverNames, signer: 'otherCa' },
  client: { subject: 'watchkeeper client' },
  intermediate: { subject: 'Watchkeeper test intermediate', isAuthority: true },
  expiredIntermediate: { subject: 'Expired test intermediate', isAuthority: true, fromDays: -30, toDays: -1 },
  expiredChain: { subject: 'localhost', names: serverNames, signer: 'expiredIntermediate' },
  /** Signed by the intermediate, which its file does not contain. */
  incompleteChain: { subject: 'localhost', names: serverNames, signer: 'intermediate' },
} as const satisfies Record<string, Profile>;

const roots = { ca: 'Watchkeeper test CA', otherCa: 'Another test CA' } as const;

export type TestCertificates = Readonly<
  Record<keyof typeof profiles | keyof typeof roots | 'selfSigned', TestCertificate>
>;

let made: Promise<TestCertificates> | undefined;

/** A CA and certificates signed by it, good and bad, made with `openssl` once per process and removed when it ends. */
export function testCertificates(): Promise<TestCertificates> {
  made ??= makeAll();
  return made;
}

async function makeAll(): Promise<TestCertificates> {
  const folder = await certificateFolder();
  const [ca, otherCa, selfSigned] = await Promise.all([
    makeRoot(folder, 'ca', roots.ca),
    makeRoot(folder, 'otherCa', roots.otherCa),
    makeRoot(folder, 'selfSigned', 'localhost'),
  ]);
  const issued: Record<string, TestCertificate> = { ca, otherCa, selfSigned };
  for (const [name, profile] of Object.entries<Profile>(profiles))
    issued[name] = await issueCertificate(folder, name, profile);
  // Filled from the same two tables as the type.
  return issued as TestCertificates;
}

/** A folder for certificates, removed when the process ends. */
export async function certificateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-certificates-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A self-signed authority; as `selfSigned`, one for `localhost`. */
export async function makeRoot(folder: string, name: string, subject: string): Promise<TestCertificate> {
  const key = ['-newkey', ...ecKey, '-nodes', '-keyout', `${name}.key`];
  const names = name === 'selfSigned' ? ['-addext', `subjectAltName=${serverNames}`] : [];
  const about = ['-subj', `/CN=${subject}`, '-days', '30', ...names, '-out', `${name}.pem`];
  await run('openssl', ['req', '-x509', ...key, ...about], { cwd: folder });
  return await readFiles(folder, name);
}

/** A certificate of this name in the folder, signed by one that is there already. */
export async function issueCertificate(folder: string, name: string, profile: Profile): Promise<TestCertificate> {
  const { subject, names, fromDays = -1, toDays = 30, signer = 'ca', isAuthority = false } = profile;
  const { key = ecKey, keyFile, digest = 'sha256', extensions = [] } = profile;
  // `openssl ca` keeps a register of what it signed; an empty one each has nothing to object to.
  const register = join(folder, `${name}-register`);
  await mkdir(register);
  await writeFile(join(register, 'index.txt'), '');
  const constraints = extensions.some((line) => line.startsWith('basicConstraints'))
    ? []
    : [`basicConstraints=CA:${isAuthority}`];
  const lines = [...constraints, ...(names ? [`subjectAltName=${names}`] : []), ...extensions];
  await writeFile(join(folder, `${name}.cnf`), caConfig(register, lines));
  if (keyFile) await copyFile(keyFile, join(folder, `${name}.key`));
  const ownKey = keyFile ? ['-key', keyFile] : ['-newkey', ...key, '-nodes', '-keyout', `${name}.key`];
  const request = [...ownKey, '-subj', `/CN=${subject}`];
  await run('openssl', ['req', '-new', ...request, '-out', `${name}.csr`], { cwd: folder });
  const signing = ['-config', `${name}.cnf`, '-md', digest, '-cert', `${signer}.pem`, '-keyfile', `${signer}.key`];
  const validity = ['-startdate', asn1Time(fromDays), '-enddate', asn1Time(toDays)];
  const files = ['-in', `${name}.csr`, '-out', `${name}.pem`];
  await run('openssl', ['ca', '-batch', '-notext', ...signing, ...validity, ...files], { cwd: folder });
  return await readFiles(folder, name);
}

function caConfig(register: string, extensions: readonly string[]): string {
  return `[ca]
default_ca = signing
[signing]
database = ${register}/index.txt
new_certs_dir = ${register}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${extensions.join('\n')}
`;
}

/** `days` from now as ASN.1 GeneralizedTime (RFC 5280 section 4.1.2.5.2): YYYYMMDDHHMMSSZ. */
function asn1Time(days: number): string {
  const iso = new Date(Date.now() + days * dayMs).toISOString();
  return `${iso.slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
}

async function readFiles(folder: string, name: string): Promise<TestCertificate> {
  const certificatePath = join(folder, `${name}.pem`);
  const keyPath = join(folder, `${name}.key`);
  const [certificate, key] = await Promise.all([readFile(certificatePath, 'utf8'), readFile(keyPath, 'utf8')]);
  return { certificatePath, keyPath, certificate, key };
}
