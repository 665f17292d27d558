/** Ports by the names that the IANA registered for them, those that people monitor. */
const portOfService: Readonly<Record<string, number>> = {
  amqp: 5672,
  amqps: 5671,
  domain: 53,
  'domain-s': 853,
  ftp: 21,
  ftps: 990,
  http: 80,
  'http-alt': 8080,
  https: 443,
  imap: 143,
  imaps: 993,
  ipp: 631,
  kerberos: 88,
  ldap: 389,
  ldaps: 636,
  mqtt: 1883,
  'ms-sql-s': 1433,
  mysql: 3306,
  nfs: 2049,
  ntp: 123,
  pop3: 110,
  pop3s: 995,
  postgresql: 5432,
  radius: 1812,
  rdp: 3389,
  redis: 6379,
  rsync: 873,
  rtsp: 554,
  sip: 5060,
  sips: 5061,
  smtp: 25,
  smtps: 465,
  snmp: 161,
  ssh: 22,
  submission: 587,
  submissions: 465,
  syslog: 514,
  telnet: 23,
  tftp: 69,
  xmpp: 5222,
};

/** The port of a service by its name, upper or lower case; undefined if it is not known. */
export function servicePort(name: string): number | undefined {
  const known = name.toLowerCase();
  return Object.hasOwn(portOfService, known) ? portOfService[known] : undefined;
}

/** What people call a service where that is not its registered name in capitals. */
const titles: Readonly<Record<number, string>> = {
  53: 'DNS',
  80: 'HTTP',
  139: 'NetBIOS',
  445: 'SMB',
  465: 'SMTPS',
  587: 'SMTP',
  853: 'DNS over TLS',
  1433: 'Microsoft SQL',
  5222: 'XMPP',
  5353: 'mDNS',
  5432: 'PostgreSQL',
  5900: 'VNC',
  8080: 'HTTP',
};

const titleOfPort: ReadonlyMap<number, string> = new Map([
  ...Object.entries(portOfService).map(([name, port]) => [port, name.toUpperCase()] as const),
  ...Object.entries(titles).map(([port, title]) => [Number(port), title] as const),
]);

/** What usually answers at a port (`SSH`); undefined if there is no usual service. */
export function serviceTitle(port: number): string | undefined {
  return titleOfPort.get(port);
}
