/** What happens on a line, in order; after `onClose` nothing does. */
export interface LineEvents {
  onFrame(frame: Buffer, isText: boolean): void;
  onPing(data: Buffer): void;
  onError(error: Error): void;
  onClose(): void;
}

/**
 * One connection between an agent and a server: frames arrive whole and in order, or the line closes. The real one is a
 * WebSocket (`adapters`); the simulator has another.
 */
export interface Line {
  readonly isOpen: boolean;
  /** Bytes sent and not yet taken by the network. */
  readonly unsentBytes: number;
  /** Ties signatures to this very connection (RFC 9266); empty without TLS. */
  readonly channelBinding: string;
  /** Called once, before any event can come. */
  listen(events: LineEvents): void;
  /** Sends a text frame; `onSettled` is called when the network has taken it or the line has closed. */
  send(frame: string, onSettled: () => void): void;
  ping(): void;
  pong(data: Buffer): void;
  /** Stops reading; frames that were already read still arrive. */
  pause(): void;
  resume(): void;
  /** Closes after what was sent, with a code of RFC 6455, section 7.4.1. */
  close(code: number): void;
  /** Closes at once. */
  terminate(): void;
}

/** What became of a call to another machine; exactly one of `onOpen` and `onFailed` is called. */
export interface DialEvents {
  readonly onOpen: (line: Line) => void;
  /** `error` says why; undefined if the other side closed without a word. */
  readonly onFailed: (error: Error | undefined) => void;
  /** An IP address that the name of the other side stands for. */
  readonly onAddress?: (address: string) => void;
}

/** Opens lines to other machines. */
export interface Dialler {
  /** Calls `url`, an http:, https:, ws: or wss: address, for at most `limitMs`. Returns what gives the call up. */
  dial(url: URL, limitMs: number, events: DialEvents): () => void;
}
