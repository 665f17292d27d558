const INTERFACE = 4;
const interfaceBytes = 9;
const maxInterfaces = 64;

/**
 * Class, subclass and protocol of each interface in a device's descriptors (USB 2.0 section 9.6.5; the kernel keeps them
 * in the file `descriptors`), in hexadecimal: `080650`. At most 64; an interface that can be several things by its
 * alternate settings is there once for each. What is cut short or makes no sense ends the list.
 */
export function readUsbInterfaces(descriptors: Buffer): string[] {
  const found = new Map<string, string>();
  for (let at = 0; at + 2 <= descriptors.length && found.size < maxInterfaces;) {
    const length = descriptors.readUInt8(at);
    // A descriptor has at least its length and its type.
    if (length < 2 || at + length > descriptors.length) break;
    if (descriptors.readUInt8(at + 1) === INTERFACE && length >= interfaceBytes) {
      const code = descriptors.toString('hex', at + 5, at + 8);
      found.set(`${descriptors.readUInt8(at + 2)} ${code}`, code);
    }
    at += length;
  }
  return [...found.values()];
}
