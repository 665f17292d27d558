const attempts = 4;

/**
 * Sends a packet. A socket reports here, once each, that earlier packets met ICMP errors, and sending again is then
 * right; this packet's own error stays. Returns what `send` does. @throws {SystemError}
 */
export function transmit(send: () => number): number {
  for (let attempt = 1; ; attempt++) {
    try {
      return send();
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}
