import { userInfo } from 'node:os';
import { freePort } from './bind9.ts';
import { acceptsTcp, startDaemon } from './daemon.ts';

export interface Dnsmasq extends AsyncDisposable {
  readonly port: number;
}

/** Starts a dnsmasq that knows a few names of its own and forwards nothing. */
export async function startDnsmasq(): Promise<Dnsmasq> {
  const port = await freePort();
  const isolated = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-hosts',
    '--no-resolv',
    '--pid-file=',
    '--log-facility=-',
  ];
  const listening = [
    '--listen-address=127.0.0.1',
    '--bind-interfaces',
    `--port=${port}`,
    `--user=${userInfo().username}`,
  ];
  const records = [
    '--local=/dnsmasq.test/',
    '--host-record=host.dnsmasq.test,192.0.2.1,2001:db8::1,120',
    '--cname=alias.dnsmasq.test,host.dnsmasq.test,60',
    '--mx-host=dnsmasq.test,host.dnsmasq.test,10',
    '--txt-record=dnsmasq.test,v=spf1 -all,second',
    '--srv-host=_sip._udp.dnsmasq.test,host.dnsmasq.test,5060,10,60',
    '--caa-record=dnsmasq.test,0,issue,ca.example.net',
    '--naptr-record=dnsmasq.test,100,10,S,SIP+D2U,,_sip._udp.dnsmasq.test',
  ];
  const daemon = await startDaemon(['/usr/sbin/dnsmasq', ...isolated, ...listening, ...records], {
    ready: () => acceptsTcp(port),
  });
  return { port, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}
