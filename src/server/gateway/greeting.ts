import { ProtocolError } from '../../protocol/frames.ts';
import {
  createNonce,
  signTranscript,
  verifyTranscript,
  type Identity,
  type Transcript,
} from '../../protocol/identity.ts';
import { verifyJoin } from '../../protocol/join-token.ts';
import { protocolVersion, type AgentMessage, type ServerMessage } from '../../protocol/messages.ts';

export type Hello = Extract<AgentMessage, { type: 'hello' }>;

export interface ServerIdentity extends Identity {
  readonly serverId: string;
}

/** An agent whose signature fits its key; whether that key is welcome is the gatekeeper's to say. */
export interface Claim {
  readonly agentId: string;
  readonly name: string;
  readonly publicKey: string;
  readonly version: string;
  readonly tokenId: string | undefined;
  /** Whether the agent proved to hold the secret of the token with this key. */
  provesToken(key: string): boolean;
}

/** Decides whether a key may speak for an agent: a known key, or a new one with a join token. */
export interface Gatekeeper {
  /** @throws {ProtocolError} unknown-agent, bad-token, revoked */
  admit(claim: Claim): Promise<void>;
}

/** The server's half of the greeting: it challenges, checks the agent's signature, and signs in return. One per connection. */
export class Greeting {
  readonly #identity: ServerIdentity;
  readonly #channelBinding: string;
  readonly #nonce = createNonce();

  constructor(identity: ServerIdentity, channelBinding: string) {
    this.#identity = identity;
    this.#channelBinding = channelBinding;
  }

  get challenge(): ServerMessage {
    const { serverId, publicKey } = this.#identity;
    return { type: 'challenge', protocol: protocolVersion, serverId, publicKey, nonce: this.#nonce };
  }

  /**
   * Admits the agent and gives the signature that proves this server to it.
   * @throws {ProtocolError}
   */
  async accept(hello: Hello, gatekeeper: Gatekeeper): Promise<string> {
    if (hello.protocol !== protocolVersion) {
      const message = `expected protocol version ${protocolVersion}, got ${hello.protocol}: update the older side`;
      throw new ProtocolError('unsupported-version', message);
    }
    const transcript = this.#transcript(hello);
    if (!verifyTranscript('agent', transcript, hello.signature)) {
      throw new ProtocolError('bad-signature', `the signature does not fit the key of agent ${hello.agentId}`);
    }
    const { agentId, name, publicKey, version, join } = hello;
    const provesToken = (key: string): boolean => join !== undefined && verifyJoin(key, transcript, join.proof);
    await gatekeeper.admit({ agentId, name, publicKey, version, tokenId: join?.tokenId, provesToken });
    return signTranscript(this.#identity, 'server', transcript);
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
