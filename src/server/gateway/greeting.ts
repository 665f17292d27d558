import { ProtocolError } from '../../protocol/frames.ts';
import {
  createNonce,
  keyPin,
  signTranscript,
  verifyTranscript,
  type Identity,
  type Transcript,
} from '../../protocol/identity.ts';
import { provePairing, verifyJoin, type JoinToken } from '../../protocol/join-token.ts';
import { protocolVersion, type AgentMessage, type ServerMessage } from '../../protocol/messages.ts';

export type Hello = Extract<AgentMessage, { type: 'hello' }>;

export interface ServerIdentity extends Identity {
  readonly serverId: string;
}

/** An agent whose signature fits its key; whether that key is welcome is the gatekeeper's to say. */
export interface Claim {
  readonly agentId: string;
  /** What it calls itself. */
  readonly name: string;
  /** What the configuration of this server, which called it, calls it. */
  readonly expectedName: string | undefined;
  readonly publicKey: string;
  readonly version: string;
  /** It answered a call of this server to the agent that made the token in our configuration. */
  readonly isExpected: boolean;
  readonly tokenId: string | undefined;
  /** Whether the agent proved to hold the secret of the token with this key. */
  provesToken(key: string): boolean;
}

/** Decides whether a key may speak for an agent: a known key, or a new one with a join token. */
export interface Gatekeeper {
  /** Resolves to the agent's name here. @throws {ProtocolError} unknown-agent, bad-token, bad-name, revoked */
  admit(claim: Claim): Promise<string>;
  /** @throws {ProtocolError} revoked, if the agent that was admitted no longer may be here */
  confirm(agentId: string): void;
}

export interface GreetingOptions {
  /** Of the connection; empty without TLS. */
  readonly channelBinding: string;
  /** The token of an agent that this server calls: it may come without having joined, and nobody else may. */
  readonly pairing?: JoinToken | undefined;
  /** What the configuration calls the agent that this server calls. */
  readonly expectedName?: string | undefined;
}

/** The server's half of the greeting: it challenges, checks the agent's signature, and signs in return. One per connection. */
export class Greeting {
  readonly #identity: ServerIdentity;
  readonly #channelBinding: string;
  readonly #pairing: JoinToken | undefined;
  readonly #expectedName: string | undefined;
  readonly #nonce = createNonce();

  constructor(identity: ServerIdentity, { channelBinding, pairing, expectedName }: GreetingOptions) {
    this.#identity = identity;
    this.#channelBinding = channelBinding;
    this.#pairing = pairing;
    this.#expectedName = expectedName;
  }

  get challenge(): ServerMessage {
    const { serverId, publicKey } = this.#identity;
    const opening = { serverKey: publicKey, serverNonce: this.#nonce, channelBinding: this.#channelBinding };
    const pairing = this.#pairing && { pairing: provePairing(this.#pairing.secret, opening) };
    return { type: 'challenge', protocol: protocolVersion, serverId, publicKey, nonce: this.#nonce, ...pairing };
  }

  /**
   * Admits the agent and gives its name here, and the signature that proves this server to it.
   * @throws {ProtocolError}
   */
  async accept(hello: Hello, gatekeeper: Gatekeeper): Promise<{ readonly name: string; readonly signature: string }> {
    if (hello.protocol !== protocolVersion) {
      const message = `expected protocol version ${protocolVersion}, got ${hello.protocol}: update the older side`;
      throw new ProtocolError('unsupported-version', message);
    }
    const transcript = this.#transcript(hello);
    if (!verifyTranscript('agent', transcript, hello.signature)) {
      const why = `the signature of agent ${hello.agentId} does not fit this connection`;
      const next = 'a proxy must pass TLS through to the server, as docs/proxies.md shows';
      throw new ProtocolError(
        'bad-signature',
        `${why}: something between it and this server ended TLS, or it has lost its key. Agents need TLS from end to end: ${next}`,
      );
    }
    const { agentId, publicKey, version, join } = hello;
    const provesToken = (key: string): boolean => join !== undefined && verifyJoin(key, transcript, join.proof);
    const isExpected = this.#pairing !== undefined && keyPin(publicKey) === this.#pairing.pin;
    if (this.#pairing && !isExpected) {
      throw new ProtocolError('unknown-agent', 'expected the agent that made the token, got another key');
    }
    const claimed = { agentId, name: hello.name, publicKey, version, tokenId: join?.tokenId, provesToken, isExpected };
    const name = await gatekeeper.admit({ ...claimed, expectedName: this.#expectedName });
    return { name, signature: signTranscript(this.#identity, 'server', transcript) };
  }

  #transcript({ agentId, publicKey, nonce, epoch }: Hello): Transcript {
    return {
      serverKey: this.#identity.publicKey,
      agentKey: publicKey,
      serverNonce: this.#nonce,
      agentNonce: nonce,
      agentId,
      epoch,
      channelBinding: this.#channelBinding,
    };
  }
}
