import { describe, expect, it } from '@jest/globals';
import { kubeletStreamQuery } from './streams.js';

describe('what a kubelet is asked for', () => {
  it.each([
    ['kubectl', 'command=ls&command=-l&stdout=true&stderr=true'],
    ['the Python client', 'command=ls&command=-l&stdin=False&stdout=True&stderr=True&tty=False'],
  ])('is the same, as %s says it', (_, query) => {
    expect(kubeletStreamQuery('exec', new URLSearchParams(query)).toString()).toBe(
      'output=1&error=1&command=ls&command=-l',
    );
  });
});
