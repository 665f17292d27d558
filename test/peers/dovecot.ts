import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testCertificates } from '../../src/testing/certificates.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { acceptsTcp, startDaemon, temporaryFolder } from './daemon.ts';

export interface Dovecot extends AsyncDisposable {
  readonly ports: { readonly imap: number; readonly imaps: number; readonly pop3: number; readonly pop3s: number };
  readonly username: string;
  readonly password: string;
  /** Its mailbox, a Maildir of the user nobody. */
  readonly maildir: string;
}

const [username, password] = ['someone', 'correct horse "battery\\'];

/** A real Dovecot with IMAP and POP3 in a temporary folder; needs root, for each of its processes has a user of its own. */
export async function startDovecot(): Promise<Dovecot> {
  const folder = await temporaryFolder('dovecot');
  const [imap = 0, imaps = 0, pop3 = 0, pop3s = 0] = await Promise.all(Array.from({ length: 4 }, () => closedPort()));
  const ports = { imap, imaps, pop3, pop3s };
  // Its processes give up root, and have to come here.
  await chmod(folder.path, 0o755);
  const mail = join(folder.path, 'mail');
  await mkdir(mail);
  await chmod(mail, 0o777);
  const config = join(folder.path, 'dovecot.conf');
  const users = join(folder.path, 'users');
  await writeFile(users, `${username}:{PLAIN}${password}:65534:65534::${mail}\n`);
  await writeFile(config, await configuration(folder.path, { ports, users }));
  const dovecot = await startDaemon(['/usr/sbin/dovecot', '-F', '-c', config], {
    ready: async () => (await acceptsTcp(imap)) && (await acceptsTcp(pop3)),
  });
  return {
    ports,
    username,
    password,
    maildir: mail,
    async [Symbol.asyncDispose]() {
      await dovecot[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function configuration(
  folder: string,
  { ports, users }: Pick<Dovecot, 'ports'> & { readonly users: string },
): Promise<string> {
  const { good } = await testCertificates();
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = /dev/stderr
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <${good.certificatePath}
ssl_key = <${good.keyPath}
auth_mechanisms = plain login
disable_plaintext_auth = yes
passdb {
  driver = passwd-file
  args = ${users}
}
userdb {
  driver = passwd-file
  args = ${users}
}
mail_location = maildir:${folder}/mail
first_valid_uid = 1
service imap-login {
  inet_listener imap {
    port = ${ports.imap}
  }
  inet_listener imaps {
    port = ${ports.imaps}
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = ${ports.pop3}
  }
  inet_listener pop3s {
    port = ${ports.pop3s}
    ssl = yes
  }
}
`;
}
