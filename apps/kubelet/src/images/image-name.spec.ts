import { describe, expect, it } from '@jest/globals';
import { normalizeImage, problemOfImageName } from './image-name.js';

const DIGEST = `sha256:${'0'.repeat(64)}`;

describe('image names', () => {
  it.each([
    { image: 'nginx', normalized: 'nginx:latest' },
    { image: 'nginx:1.7.9', normalized: 'nginx:1.7.9' },
    { image: 'localhost:5000/a/b', normalized: 'localhost:5000/a/b:latest' },
    { image: `quay.io/a@${DIGEST}`, normalized: `quay.io/a@${DIGEST}` },
    { image: `quay.io/a:v1@${DIGEST}`, normalized: `quay.io/a:v1@${DIGEST}` },
    { image: 'UPPER/none', normalized: 'UPPER/none:latest' },
    { image: 'a__b/c--d.e', normalized: 'a__b/c--d.e:latest' },
  ])('$image is $normalized', ({ image, normalized }) => {
    expect(normalizeImage(image)).toBe(normalized);
    expect(problemOfImageName(image)).toBeUndefined();
  });

  const format = 'invalid reference format';
  it.each([
    { image: 'BADNAME', problem: `${format}: repository name (library/BADNAME) must be lowercase` },
    { image: 'a/B:1', problem: `${format}: repository name (a/B) must be lowercase` },
    { image: 'x.io/B:1', problem: `${format}: repository name (B) must be lowercase` },
    { image: 'nginx:a:b', problem: format },
    { image: 'nginx:', problem: format },
    { image: 'a b', problem: format },
    { image: 'a//b', problem: format },
    { image: 'a..b', problem: format },
    { image: 'nginx@sha256:1', problem: format },
    {
      image: 'a'.repeat(64),
      problem: `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
    },
  ])('$image: $problem', ({ image, problem }) => {
    expect(problemOfImageName(image)).toBe(problem);
  });
});
