import { usbRisks, type UsbRisk } from '../../core/record.ts';

/** Class, subclass and protocol (usb.org, defined class codes); of several that fit an interface the first counts. */
const risksByInterface: readonly (readonly [UsbRisk, RegExp])[] = [
  ['storage', /^08/],
  // Boot protocol. A keyboard without it is known by its keys; see function.ts.
  ['keyboard', /^030101/],
  // CDC ECM, EEM, NCM and MBIM; RNDIS in its three spellings.
  ['network', /^(?:0206|020[cde]|0202ff|e00103|ef0401)/],
  ['imaging', /^06/],
  ['video', /^0e/],
  ['audio', /^01/],
  ['printer', /^07/],
  ['wireless', /^e0/],
  ['vendor', /^ff/],
  ['hub', /^09/],
  // CDC data is the other half of an interface that says what it is.
  ['other', /^(?!0a)/],
];

/** Risks of a device with these interfaces. */
export function risksOf(interfaces: readonly string[]): UsbRisk[] {
  const risks = new Set<UsbRisk>();
  for (const code of interfaces) {
    const known = risksByInterface.find(([, pattern]) => pattern.test(code));
    if (known) risks.add(known[0]);
  }
  return inOrder(risks);
}

/** Gravest first. */
export function inOrder(risks: ReadonlySet<UsbRisk>): UsbRisk[] {
  return usbRisks.filter((risk) => risks.has(risk));
}
