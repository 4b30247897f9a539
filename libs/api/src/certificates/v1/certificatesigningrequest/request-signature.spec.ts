import { describe, expect, it } from '@jest/globals';
import { requestFault } from './request-signature.js';

/** Requests for CN=jane. */
const REQUESTS = {
  ecdsa: [
    'MIHJMHECAQAwDzENMAsGA1UEAwwEamFuZTBZMBMGByqGSM49AgEGCCqGSM49AwEH',
    'A0IABPVovpLNgyG8mFLQkbkVLwrzLdO9e07+NN0vfRfo9tXWM5AjOs9gS+g509al',
    'RXPsQea1kG/sqAt+XvW3MJxvq4CgADAKBggqhkjOPQQDAgNIADBFAiEA4v3kb7KD',
    'jayjBTYzaF+8DmQhakYAznYfhUDxCsWaa5oCIB9sS5uSzUszW1upcQtXgGqY+1Ui',
    'CG6JzgX1it9VC8/M',
  ].join('\n'),
  rsa: [
    'MIICVDCCATwCAQAwDzENMAsGA1UEAwwEamFuZTCCASIwDQYJKoZIhvcNAQEBBQAD',
    'ggEPADCCAQoCggEBAMfW91QlpfGdWSVBcIqUesSPh8wzgYP5VQbXUw5WiJ46drE5',
    'tuVHXmWBJ2GR3doVc8MzWb+LzRahrn1m1hB3S6Bb2YFbo6J5JuUAdeX2A9y29vSM',
    'mFW5dfcTi/lXpgctEFihJR+yraBAe9qfigB1UZzOfQFs+uezi0Q20HxNR0OX2QT0',
    'pKpMuKqfMWUVFNNEDlm7jUBrpBJMj/6QmG82WCeb+AyKfJ7+ptVciQglrP7hTR2k',
    '0gXXuRC1Cb8+GoFG99mOCKg6qUh2ppniGW43gyC2eNemQaEexmvAUN6lRm38p8Q5',
    'blt0BTnRPMIjlwwBW0J9jN8n7xWzXa1urSKSYGsCAwEAAaAAMA0GCSqGSIb3DQEB',
    'CwUAA4IBAQALxs9Z7saEhNHd34T+W+xzxbPSnB4We3Qc4NspteM6ikyaK2C8IJoH',
    'bfYXmLcs2HlIsbkL65Nkwao/yw+pJ9yCllov5QBHbMA5biwHvUMlQZtpdvE+gr9j',
    'h49sINbX/fS7k4I0b+qYKQ1F8L7WxBE8X1atOtOMJBfI5fyZruKXrni/eooWPRIQ',
    '88xBXG4ow9R+0TThXvFvZJvtmkIvFphF6OYp1X6oxBheNYdq89yhQIzMwUsBq/EN',
    'w9mM2NAbuLE6uJHDm/8gikAVQnQKQChSiaWRVsEu9ieVybtxeylJ5P5HeZlrQXhs',
    'TeVL7FGit/lBNSWZuji1InFKqjDuoQRh',
  ].join('\n'),
  ed25519: [
    'MIGOMEICAQAwDzENMAsGA1UEAwwEamFuZTAqMAUGAytlcAMhAFVZnTs0nK6yQXW/',
    'G19XybKiY3TMRSmUW5jmGKwIrrznoAAwBQYDK2VwA0EAm2MSLl0iu8vdrZKs/sBr',
    'ZFVTdhJoJe1yl+lxihLo85T1OzeMkudR4fD5803OxaK/xxexx4M6NPNMEcwfmueY',
    'Bg==',
  ].join('\n'),
  pss: [
    'MIICiTCCATwCAQAwDzENMAsGA1UEAwwEamFuZTCCASIwDQYJKoZIhvcNAQEBBQAD',
    'ggEPADCCAQoCggEBAKB4sJnEMVc/teaKQ9gpJYTFzH84diHPPePh0kK9qjTY11dc',
    'xaWI1wr/ueqJlBv+mIuVAn6jadlgM5RVEF3hvlNzssdE8TLLAm5H2446fJHsgtIG',
    '+vUVwJvAEjEJEPiYLa0NMsjI67PU9duBbL3gMiZjIZkhOWbeXQp0npBJ89/UXm9v',
    '7N3gwz0/X5kiUN9bBPcoyBP1lGs7jRxjhwVIxPRhBdqDJMyr1POJTzTOSsT+WsVw',
    '7oVi4TXUb7Y5XEibhd1hTfB1De/e8yFi9VI8r3wcfEOUyxB3rTKzWZIyvG56tqFh',
    'uAGeOUoWzGokonI3/E3ZzfIQd6kcPLjM6OoVRJMCAwEAAaAAMEIGCSqGSIb3DQEB',
    'CjA1oA8wDQYJYIZIAWUDBAIBBQChHDAaBgkqhkiG9w0BAQgwDQYJYIZIAWUDBAIB',
    'BQCiBAICAN4DggEBAAzgLW0fzWyvl2pgEC3AsS18qAWn6sXWMRTrwBwP8Oc0pTvc',
    'WiGJ7L0OjOs3ToukH7vtYPV0C7Z9kJv1d/ysqXZuq90YcJj0nY4Vh5bvnzIK8PvY',
    'jk6Bmy72DyzJwQuGo8w9l3gjrxcsdGjlutwQwtyqlVWHeekedpSnDpFULb65IVM9',
    'AfdnqgY9qE8rT6QTrez2n1OZ6Dwnc/+JE7D0gJc2md7ZlTznlYGOr05+w/dczTRx',
    'j7M4sL77kss1DF4+PiPOkBqRWQArJa+BB3KJP8/n3qW6sO2MWCV66mEHdhxk6Fv1',
    '91PuFDVXDzoF15XIf3xVf+ZA3vatmB3C32iC7gc=',
  ].join('\n'),
};

const toPem = (body: string, label = 'CERTIFICATE REQUEST'): string =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;

/** The same request for somebody else. */
function forged(body: string): string {
  const der = Buffer.from(body, 'base64').toString('latin1').replace('jane', 'root');
  return Buffer.from(der, 'latin1').toString('base64');
}

describe('requestFault()', () => {
  it.each([
    { name: 'ecdsa', body: REQUESTS.ecdsa, want: 'x509: ECDSA verification failure' },
    { name: 'rsa', body: REQUESTS.rsa, want: 'crypto/rsa: verification error' },
    { name: 'rsa-pss', body: REQUESTS.pss, want: 'crypto/rsa: verification error' },
    { name: 'ed25519', body: REQUESTS.ed25519, want: 'x509: Ed25519 verification failure' },
  ])('knows a request that its own key has signed from another: $name', ({ body, want }) => {
    expect(requestFault(toPem(body))).toBeUndefined();
    expect(requestFault(toPem(forged(body)))).toBe(want);
  });

  it.each([
    { name: 'no PEM', pem: 'jane', want: 'PEM block type must be CERTIFICATE REQUEST' },
    {
      name: 'another block',
      pem: toPem(REQUESTS.ecdsa, 'CERTIFICATE'),
      want: 'PEM block type must be CERTIFICATE REQUEST',
    },
    { name: 'no DER', pem: toPem('MA=='), want: 'x509: malformed certificate request' },
    {
      name: 'a length beyond its end',
      pem: toPem('MIT/////'),
      want: 'x509: malformed certificate request',
    },
    {
      name: 'a part of a request',
      pem: toPem(REQUESTS.ecdsa.slice(0, 80)),
      want: 'x509: malformed certificate request',
    },
  ])('says what is wrong with $name', ({ pem, want }) => {
    expect(requestFault(pem)).toBe(want);
  });
});
