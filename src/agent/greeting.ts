import { ProtocolError } from '../protocol/frames.ts';
import {
  createNonce,
  keyPin,
  signTranscript,
  verifyTranscript,
  type Identity,
  type Transcript,
} from '../protocol/identity.ts';
import { proveJoin, storedToken, verifyPairing } from '../protocol/join-token.ts';
import { protocolVersion, type AgentMessage, type ServerMessage } from '../protocol/messages.ts';

type Challenge = Extract<ServerMessage, { type: 'challenge' }>;

export interface AgentIdentity extends Identity {
  readonly agentId: string;
  readonly name: string;
}

/** Which server this agent accepts. */
export interface Trust {
  /** Pin of the server's public key; unknown until a calling server has proved that it holds this agent's token. */
  readonly serverPin?: string | undefined;
  /** Secret of an unused token: the server's join token, or this agent's own for a server that calls it. */
  readonly secret?: string | undefined;
}

interface GreetingParts {
  readonly identity: AgentIdentity;
  readonly trust: Trust;
  readonly epoch: string;
  readonly version: string;
  readonly channelBinding: string;
}

/** The agent's half of the greeting: answers the challenge of the server it trusts and verifies that server's signature. */
export class Greeting {
  readonly #parts: GreetingParts;
  readonly #nonce = createNonce();
  #transcript: Transcript | undefined;

  constructor(parts: GreetingParts) {
    this.#parts = parts;
  }

  /** @throws {ProtocolError} if it is another server, before anything is told to it, or asked twice */
  answer(challenge: Challenge): AgentMessage {
    if (this.#transcript) throw new ProtocolError('bad-frame', 'expected one challenge, got a second');
    const { protocol, publicKey, nonce } = challenge;
    const { identity, trust, epoch, version, channelBinding } = this.#parts;
    if (protocol !== protocolVersion) {
      throw new ProtocolError(
        'unsupported-version',
        `expected protocol version ${protocolVersion}, the server speaks ${protocol}`,
      );
    }
    if (!this.#isTrusted(challenge)) {
      throw new ProtocolError(
        'bad-signature',
        'this is another server than the one this agent joined; nothing was told to it',
      );
    }
    const { agentId, name, publicKey: agentKey } = identity;
    this.#transcript = {
      serverKey: publicKey,
      agentKey,
      serverNonce: nonce,
      agentNonce: this.#nonce,
      agentId,
      epoch,
      channelBinding,
    };
    const signature = signTranscript(identity, 'agent', this.#transcript);
    return {
      type: 'hello',
      protocol: protocolVersion,
      agentId,
      name,
      version,
      publicKey: agentKey,
      nonce: this.#nonce,
      epoch,
      signature,
      ...(trust.secret !== undefined && { join: joinWith(trust.secret, this.#transcript) }),
    };
  }

  /** The key of the server that was greeted; to be pinned once it is confirmed. */
  get serverKey(): string {
    return this.#transcript?.serverKey ?? '';
  }

  #isTrusted({ publicKey, nonce, pairing }: Challenge): boolean {
    const { trust, channelBinding } = this.#parts;
    if (trust.serverPin !== undefined) return keyPin(publicKey) === trust.serverPin;
    if (trust.secret === undefined || pairing === undefined) return false;
    return verifyPairing(trust.secret, { serverKey: publicKey, serverNonce: nonce, channelBinding }, pairing);
  }

  /** @throws {ProtocolError} if the server did not sign this greeting */
  confirm(signature: string): void {
    if (this.#transcript && verifyTranscript('server', this.#transcript, signature)) return;
    throw new ProtocolError('bad-signature', 'the server could not prove that it holds its key');
  }
}

function joinWith(secret: string, transcript: Transcript): { tokenId: string; proof: string } {
  return { tokenId: storedToken(secret).id, proof: proveJoin(secret, transcript) };
}
