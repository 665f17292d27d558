/** The descriptors of a device with these interfaces: `080650` is a disk, `030101` a keyboard. */
export function usbDescriptors(...interfaces: readonly string[]): Buffer {
  const device = '120100020000004081076755000101020301';
  const configuration = `0902${hex(9 + 16 * interfaces.length)}00${hex(interfaces.length)}0100803c`;
  const each = interfaces.map((code, number) => `0904${hex(number)}0001${code}0007058102000200`);
  return Buffer.from([device, configuration, ...each].join(''), 'hex');
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** What sysfs has of a memory stick. */
export const stick = {
  idVendor: '0781\n',
  idProduct: '5567\n',
  manufacturer: 'SanDisk\n',
  product: 'Cruzer Blade\n',
  serial: '4C530001\n',
  bcdDevice: '0100\n',
  speed: '480\n',
  descriptors: usbDescriptors('080650'),
};

export const keyboard = {
  idVendor: '046d\n',
  idProduct: 'c31c\n',
  manufacturer: 'Logitech\n',
  product: 'USB Keyboard\n',
  descriptors: usbDescriptors('030101', '030000'),
};
