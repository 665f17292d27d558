import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { WebSocketAcceptor } from '../../src/adapters/web-socket-acceptor.ts';
import { systemClock as clock } from '../../src/core/clock.ts';
import { createIdentity } from '../../src/protocol/identity.ts';
import { Gateway, type GatewayPorts } from '../../src/server/gateway/gateway.ts';

export const serverIdentity = { ...createIdentity(), serverId: '0193a0de-0000-7000-8000-000000000001' };
export const openGate = { admit: async ({ name }: { readonly name: string }) => name, confirm: () => {} };

/** The address of a gateway on loopback whose agents are all welcome. */
export async function openGateway(t: TestContext, commit: GatewayPorts['commit']): Promise<string> {
  const gateway = new Gateway({
    clock,
    identity: serverIdentity,
    gatekeeper: openGate,
    received: async () => [],
    commit,
    onConnected: () => {},
    onDisconnected: () => {},
    onHeartbeat: () => {},
    beginChain: async () => true,
    onTasksApplied: () => {},
    onRunAnswer: () => {},
    onFault: () => {},
  });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const acceptor = new WebSocketAcceptor({
    admit: (address) => gateway.admit(address),
    onLine: ({ line, address, settle }) => void gateway.adopt(line, { address, onSettled: settle }),
  });
  acceptor.attach(server);
  t.after(() => {
    gateway.close();
    acceptor.close();
    server.close();
    server.closeAllConnections();
  });
  // A TCP server that listens has an address.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
