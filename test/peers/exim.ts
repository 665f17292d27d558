import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testCertificates } from '../../src/testing/certificates.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { acceptsTcp, startDaemon, temporaryFolder } from './daemon.ts';

export interface Exim extends AsyncDisposable {
  readonly ports: { readonly smtp: number; readonly smtps: number };
  readonly username: string;
  readonly password: string;
}

const [username, password] = ['someone', 'correct horse'];

interface EximOptions {
  /** A Maildir of the user nobody, for mail of whoever has logged in; without it no mail is taken. */
  readonly maildir?: string;
}

/** A real Exim in a temporary folder; needs root, which it runs as. */
export async function startExim({ maildir }: EximOptions = {}): Promise<Exim> {
  const folder = await temporaryFolder('exim');
  const [smtp, smtps] = await Promise.all([closedPort(), closedPort()]);
  await mkdir(join(folder.path, 'spool'));
  const config = join(folder.path, 'exim.conf');
  await writeFile(config, await configuration({ folder: folder.path, smtp, smtps, maildir }));
  const exim = await startDaemon(['/usr/sbin/exim4', '-C', config, '-bdf'], {
    ready: async () => (await acceptsTcp(smtp)) && (await acceptsTcp(smtps)),
  });
  return {
    ports: { smtp, smtps },
    username,
    password,
    async [Symbol.asyncDispose]() {
      await exim[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

interface Setting {
  readonly maildir: string | undefined;
  readonly folder: string;
  readonly smtp: number;
  readonly smtps: number;
}

/** Everything goes into one mailbox. */
function delivery(maildir: string): string {
  return `
begin acl
check_rcpt:
  accept authenticated = *
  deny message = log in first
begin routers
mailbox:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = ${maildir}
  maildir_format
  create_directory
  user = nobody
  group = nogroup
`;
}

async function configuration({ folder, smtp, smtps, maildir }: Setting): Promise<string> {
  const { good } = await testCertificates();
  return `
primary_hostname = mail.example.test
exim_user = root
exim_group = root
never_users =
spool_directory = ${folder}/spool
log_file_path = ${folder}/%slog
pid_file_path = ${folder}/exim.pid
local_interfaces = <; [127.0.0.1]:${smtp}; [127.0.0.1]:${smtps}
tls_on_connect_ports = ${smtps}
tls_advertise_hosts = *
tls_certificate = ${good.certificatePath}
tls_privatekey = ${good.keyPath}
auth_advertise_hosts = \${if eq{$tls_in_cipher}{}{}{*}}
host_lookup =
${maildir === undefined ? '' : 'acl_smtp_rcpt = check_rcpt'}
qualify_domain = example.test
rfc1413_query_timeout = 0s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{$auth2}{${username}}}{eq{$auth3}{${password}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{$auth1}{${username}}}{eq{$auth2}{${password}}}}}
  server_set_id = $auth1
${maildir === undefined ? '' : delivery(maildir)}`;
}
