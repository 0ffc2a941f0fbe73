import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A key and its certificate, PEM. */
export interface Identity {
  key: string;
  certificate: string;
}

/** A CA made for this run, and a server certificate of it for 127.0.0.1, ::1 and localhost. */
export function makeCertificates(): { caPem: string; server: Identity } {
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority = 'wukong-sim-ca';
  const isCa = [extension('2.5.29.19', sequence(boolean(true)), true)];
  const names = sequence(
    tagged(0x82, Buffer.from('localhost')),
    tagged(0x87, Buffer.from([127, 0, 0, 1])),
    tagged(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
  );
  return {
    caPem: issue({ subject: authority, key: ca.publicKey, extensions: isCa }, authority, ca.privateKey),
    server: {
      key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      certificate: issue(
        { subject: 'wukong-sim', key: server.publicKey, extensions: [extension('2.5.29.17', names)] },
        authority,
        ca.privateKey,
      ),
    },
  };
}

interface Request {
  subject: string;
  key: KeyObject;
  extensions: Buffer[];
}

/** An X.509 v3 certificate (RFC 5280 §4.1), signed with ECDSA and SHA-256, valid for ten years around now. */
function issue(request: Request, issuer: string, issuerKey: KeyObject): string {
  const year = new Date().getUTCFullYear();
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    commonName(issuer),
    sequence(utcTime(year - 5), utcTime(year + 5)),
    commonName(request.subject),
    request.key.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...request.extensions)),
  );
  const signature = sign('sha256', body, issuerKey);
  const der = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));
const utcTime = (year: number): Buffer => tagged(0x17, Buffer.from(`${String(year).slice(2)}0101000000Z`));
const commonName = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(name)))));
const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), tagged(0x04, value));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}
