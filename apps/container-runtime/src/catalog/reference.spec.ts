import { describe, expect, it } from '@jest/globals';
import { parseReference } from './reference.js';

describe('parseReference', () => {
  it.each([
    { text: 'nginx', normalized: 'docker.io/library/nginx:latest', name: 'nginx' },
    { text: 'nginx:1.7.9', normalized: 'docker.io/library/nginx:1.7.9', name: 'nginx' },
    { text: 'user/app', normalized: 'docker.io/user/app:latest', name: 'app' },
    { text: 'localhost:5000/a/b:v1', normalized: 'localhost:5000/a/b:v1', name: 'b' },
    {
      text: 'registry.k8s.io/pause:3.10',
      normalized: 'registry.k8s.io/pause:3.10',
      name: 'pause',
    },
    {
      text: `quay.io/a@sha256:${'0'.repeat(64)}`,
      normalized: `quay.io/a@sha256:${'0'.repeat(64)}`,
      name: 'a',
    },
  ])('reads $text', ({ text, normalized, name }) => {
    expect(parseReference(text)).toMatchObject({ normalized, name });
  });

  it.each(['', 'UPPER', 'a b', 'a:', ':tag', 'a//b', 'a@sha256:12', '-a', 'a:b:c'])(
    'refuses "%s"',
    (text) => {
      expect(parseReference(text)).toBeUndefined();
    },
  );
});
