import { Failure } from '../../core/failure.ts';
import type { Reason } from '../../core/outcome.ts';
import { socketFailure } from '../dial/socket-failure.ts';
import { groupNames } from './groups.ts';

type Meaning = readonly [pattern: RegExp, reason: Reason, meaning: string];

/** Errors that end a handshake, or with TLS 1.3 the connection right after it, by the end of OpenSSL's code. */
const meanings: readonly Meaning[] = [
  [
    /ALERT_CERTIFICATE_REQUIRED$/,
    'tls-client-certificate',
    'the server asks for a client certificate (tls.certificate and tls.key)',
  ],
  [
    /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)$/,
    'tls-client-certificate',
    'the server does not accept our client certificate',
  ],
  [
    /ALERT_PROTOCOL_VERSION$|UNSUPPORTED_PROTOCOL$/,
    'tls-handshake',
    'the server speaks no TLS version that is at least tls.minVersion',
  ],
  [
    /ALERT_HANDSHAKE_FAILURE$/,
    'tls-handshake',
    `the server refused: it shares no cipher or no key exchange group with us (${groupNames}), or wants a client certificate`,
  ],
  [
    /ALERT_INSUFFICIENT_SECURITY$/,
    'tls-handshake',
    'the server refused: it wants stronger ciphers or key exchange groups than we offer',
  ],
  [
    /WRONG_CURVE$|UNSUPPORTED_ELLIPTIC_CURVE$|BAD_KEY_SHARE$|NO_SUITABLE_KEY_SHARE$|NO_SUITABLE_GROUPS$/,
    'tls-handshake',
    `the server chose a key exchange group that we do not offer (we offer ${groupNames})`,
  ],
  [
    /WRONG_VERSION_NUMBER$|PACKET_LENGTH_TOO_LONG$|HTTP_REQUEST$|RECORD_LAYER_FAILURE$/,
    'tls-handshake',
    'the answer is not TLS; does the port speak plain text, as in http://?',
  ],
  [/UNRECOGNIZED_NAME$/, 'tls-wrong-name', 'the server knows no such name'],
  [/NO_APPLICATION_PROTOCOL$/, 'tls-handshake', 'the server offers none of the protocols we asked for'],
  [/DH_KEY_TOO_SMALL$/, 'tls-handshake', 'the server uses a Diffie-Hellman key that is too short to be safe'],
  [
    /UNSAFE_LEGACY_RENEGOTIATION_DISABLED$/,
    'tls-handshake',
    'the server does not know secure renegotiation (RFC 5746), which TLS 1.2 needs to be safe',
  ],
  [
    /WRONG_SIGNATURE_TYPE$|NO_SHARED_SIGNATURE_ALGORITHMS$|LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED$/,
    'tls-handshake',
    'the server signs the handshake in a way that is too weak or that we did not offer',
  ],
  [/BAD_SIGNATURE$/, 'tls-handshake', 'the signature of the server on the handshake does not verify'],
  [
    /EXCESSIVE_MESSAGE_SIZE$|EXCESSIVE_\w+$/,
    'tls-handshake',
    'the server sent a message longer than TLS allows here, such as a chain of too many certificates',
  ],
  [
    /DECRYPTION_FAILED_OR_BAD_RECORD_MAC$|ALERT_BAD_RECORD_MAC$|DIGEST_CHECK_FAILED$/,
    'tls-handshake',
    'bytes were changed on the way, or the two sides computed different keys',
  ],
  [/ALERT_INTERNAL_ERROR$/, 'tls-handshake', 'the server reports an error of its own'],
  [/ALERT_\w+$/, 'tls-handshake', 'the server ended the handshake'],
];

/** What the error of a TCP or TLS socket says about the target. `doing` begins the sentence: `TLS with example.test`. */
export function streamFailure(error: Error, doing: string): Error {
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  // Node calls the end of the stream in mid-handshake a reset too; a real one comes from a system call.
  if (code === 'ECONNRESET' && syscall === undefined)
    return new Failure('closed', `${doing}: the server closed the connection during the handshake.`, { cause: error });
  // EPROTO is also Node's code for what OpenSSL finds wrong while it writes.
  const isTls = code.startsWith('ERR_SSL_') || (code === 'EPROTO' && syscall === 'write');
  if (!isTls) return socketFailure(error, doing);
  const [, reason, meaning] = meanings.find(([pattern]) => pattern.test(code)) ?? [
    code,
    'tls-handshake',
    'the server broke the rules of TLS',
  ];
  return new Failure(reason, `${doing}: ${meaning}.`, { cause: error, detail: { tlsError: code } });
}
