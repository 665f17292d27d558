import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { ConnectionGuard } from '../../src/adapters/connection-guard.ts';
import { WebSocketAcceptor, type Caller } from '../../src/adapters/web-socket-acceptor.ts';
import { systemClock as clock } from '../../src/core/clock.ts';
import { placeLimitsFor } from '../../src/core/connection-places.ts';
import { createIdentity } from '../../src/protocol/identity.ts';
import { Gateway, strangerBytes, type GatewayPorts } from '../../src/server/gateway/gateway.ts';

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
    takeStorage: () => 0,
    beginChain: async () => true,
    onTasksApplied: () => {},
    onRunAnswer: () => {},
    onFault: () => {},
  });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const guard = new ConnectionGuard({ limits: placeLimitsFor(1024), onCrowded: () => {} });
  guard.attach(server);
  const onLine = ({ line, ...caller }: Caller): void => void gateway.adopt(line, caller);
  const acceptor = new WebSocketAcceptor({ guard, strangerBytes, onLine });
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
