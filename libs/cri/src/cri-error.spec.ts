import { describe, expect, it } from '@jest/globals';
import { CriError, isNotFound, isUnavailable, toCriCode, toRpcText } from './cri-error.js';

describe('CriError', () => {
  it('prints as client-go prints gRPC errors', () => {
    expect(toRpcText(new CriError('NOT_FOUND', 'no x'))).toBe(
      'rpc error: code = NotFound desc = no x',
    );
  });

  it('has predicates that take anything', () => {
    expect(isNotFound(new CriError('NOT_FOUND', ''))).toBe(true);
    expect(isUnavailable(new CriError('NOT_FOUND', ''))).toBe(false);
    expect(isNotFound(undefined)).toBe(false);
  });

  it('reads status numbers', () => {
    expect([toCriCode(5), toCriCode(14), toCriCode(99), toCriCode(undefined)]).toEqual([
      'NOT_FOUND',
      'UNAVAILABLE',
      'UNKNOWN',
      'UNKNOWN',
    ]);
  });
});
