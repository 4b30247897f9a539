// Adds the matchers to Vitest's `expect`: `setupFiles: ['@orrery/testing/vitest']`.
import { expect } from 'vitest';
import { matchers } from '../esm/index.js';

expect.extend(matchers);
